"""The machine that figures are of: without it they say nothing to anybody else."""

import os
import platform
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median
from time import perf_counter

import psutil
from msgspec import Struct

from local import state

SYNCS, BLOCK = 50, 4_096


class Machine(Struct, frozen=True, kw_only=True):
    cores: int
    processor: str
    memory_gb: float
    system: str
    python: str
    fsync_ms: float  # of four kilobytes where the benches put their servers
    slower: float  # than the machine the absolute targets were set on: 1.6 takes 1.6 times as long

    def sentence(self) -> str:
        return (
            f"{self.cores} cores ({self.processor}), {self.memory_gb:.0f} GB, {self.system}, Python {self.python}, "
            f"a disk that takes {self.fsync_ms:.1f} ms for an fsync of 4 kB; {self.slower:.2f} times as long for a "
            "call of functions-framework as on the machine the targets were set on"
        )


def described() -> Machine:
    """It takes two seconds."""
    return Machine(
        cores=os.cpu_count() or 1,
        processor=processor(),
        memory_gb=psutil.virtual_memory().total / 1e9,
        system=f"{platform.system()} {platform.release().partition('-')[0]}",
        python=platform.python_version(),
        fsync_ms=fsync_ms(),
        slower=slower(),
    )


def slower() -> float:
    """By a call of functions-framework, in a process of its own: no bench is to hold all that this loads."""
    words = [sys.executable, "-c", "from local.bench import edges; print(edges.slower())"]
    done = subprocess.run(words, cwd=state.ROOT, check=True, capture_output=True, text=True)
    return max(1.0, float(done.stdout))


def processor() -> str:
    """Its model, as Linux knows it; elsewhere what Python knows."""
    about = Path("/proc/cpuinfo")
    lines = about.read_text().splitlines() if about.exists() else []
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return models[0] if models else platform.processor() or platform.machine()


def fsync_ms() -> float:
    taken = []
    with tempfile.TemporaryFile() as file:
        for _ in range(SYNCS):
            file.write(bytes(BLOCK))
            file.flush()
            began = perf_counter()
            os.fsync(file.fileno())
            taken.append((perf_counter() - began) * 1000)
    return median(taken)
