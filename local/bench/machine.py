"""The machine that figures are of: without it they say nothing to anybody else."""

import os
import platform
import tempfile
from pathlib import Path
from statistics import median
from time import perf_counter

import psutil
from msgspec import Struct

SYNCS, BLOCK = 50, 4_096


class Machine(Struct, frozen=True, kw_only=True):
    cores: int
    processor: str
    memory_gb: float
    system: str
    python: str
    fsync_ms: float  # of four kilobytes where the benches put their servers
    slower: float  # than the machine the absolute targets were set on, by the edges' bench: 1.6 takes 1.6 times as long

    def sentence(self) -> str:
        return (
            f"{self.cores} cores ({self.processor}), {self.memory_gb:.0f} GB, {self.system}, Python {self.python}, "
            f"a disk that takes {self.fsync_ms:.1f} ms for an fsync of 4 kB; {self.slower:.2f} times as long for a "
            "call of functions-framework as on the machine the targets were set on"
        )


def described() -> Machine:
    """It takes a second."""
    from local.bench import edges  # loads every edge, which whoever only reads figures does not need

    return Machine(
        cores=os.cpu_count() or 1,
        processor=processor(),
        memory_gb=psutil.virtual_memory().total / 1e9,
        system=f"{platform.system()} {platform.release().partition('-')[0]}",
        python=platform.python_version(),
        fsync_ms=fsync_ms(),
        slower=edges.slower(),
    )


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
