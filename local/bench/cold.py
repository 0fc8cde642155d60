"""Cold starts of the bundles on AWS's runtime client, medians of fresh processes: python -m local.bench.cold

Wall: from exec to the first request for work. CPU: of the whole process until then. First event: what one call costs
that finds everything new; the stores are not there, so it is the way to them. Beside them a bare interpreter.
"""

import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from subprocess import PIPE
from typing import Any, NamedTuple

from local import state
from local.bench.figure import Figure
from local.bench.run import Words, main
from local.bundles import bundle, compiled, wheels
from local.bundles.declaration import ARCHITECTURES, CLOCK, FUNCTIONS, SIMULATED, Function
from local.bundles.interpreter import interpreter
from local.bundles.places import lay
from local.hosts import aws

FRESH = 9
# Milliseconds of wall time allowed, on a quiet machine.
ALLOWED = {"ingest": 100, "core_api": 500, "dashboard": 200, "tick": 120}
OF_STATIONS = 200
ALLOWED_CPU = {"ingest": 80}


class Start(NamedTuple):
    wall: float
    cpu: float
    first: float


def started(function: Function, folder: Path, runtime: Path, home: Path) -> Start:
    """One fresh process, in milliseconds."""
    env = {"PYTHONPATH": str(runtime), "LAMBDA_TASK_ROOT": str(folder), "INTERNAL_KEY": "k"}
    env |= {"DATABASE_URL": "postgresql://a:b@127.0.0.1:1/c"}
    began = time.monotonic()
    host = aws.Lambda(function.source, home, env, folder, python=interpreter())
    try:
        wall = host.api.asked.get(timeout=60) - began
        cpu = on_cpu(host.process.pid)
        called = time.monotonic()
        host.invoke(event_for(function))
        return Start(wall * 1000, cpu * 1000, (time.monotonic() - called) * 1000)
    finally:
        host.process.popen.kill()
        host.stop()


def event_for(function: Function) -> Any:
    if function.public:
        path = "/openapi.json" if function.name == "core_api" else "/health"
        return aws.http_event("GET", path, {})
    return {"source": "aws.events"} if function.trigger == CLOCK else {"records": {}}


def on_cpu(pid: int) -> float:
    """Seconds, to the nanosecond: clocks that tick would tell tens of milliseconds apart."""
    return int(Path(f"/proc/{pid}/schedstat").read_text().split()[0]) / 1e9


def bare() -> Start:
    """Until it would ask for work."""
    began = time.monotonic()
    with subprocess.Popen([interpreter(), "-c", "print(flush=True); input()"], stdin=PIPE, stdout=PIPE) as child:
        assert child.stdout
        child.stdout.readline()
        wall, cpu = time.monotonic() - began, on_cpu(child.pid)
        child.kill()
    return Start(wall * 1000, cpu * 1000, 0)


def median(starts: list[Start]) -> Start:
    return Start(*(statistics.median(column) for column in zip(*starts, strict=True)))


def figures(words: Words) -> Iterator[Figure]:
    state.prepare()
    fresh = words.rounds(FRESH, 1)
    with tempfile.TemporaryDirectory(prefix="cold-", dir=state.HOME) as folder:
        home, runtime = Path(folder), Path(folder) / "runtime"
        lay(runtime, compiled.of_wheels(wheels.wanted(SIMULATED, ARCHITECTURES[0])))
        beside = median([bare() for _ in range(fresh)])
        for function in (one for one in FUNCTIONS if one.deployed):
            place = home / function.name
            lay(place, bundle.files(function, ARCHITECTURES[0]))
            found = median([started(function, place, runtime, home) for _ in range(fresh)])
            yield from said(function.name, found, beside)


def said(name: str, start: Start, beside: Start) -> Iterator[Figure]:
    """Both times in milliseconds, whatever an event is."""
    allowed, note = ALLOWED.get(name, OF_STATIONS), f"its first event {start.first:.0f} ms"
    what = f"{name}, exec to its first request for work"
    yield Figure(what=what, value=start.wall, unit="ms", target=allowed, baseline=beside.wall, most=True, note=note)
    what, allowed_cpu = f"{name}, CPU until then", ALLOWED_CPU.get(name)
    yield Figure(what=what, value=start.cpu, unit="ms of CPU", target=allowed_cpu, baseline=beside.cpu, most=True)


if __name__ == "__main__":
    sys.exit(main("cold", __doc__, figures))
