"""What loadgen and replay cost, so that neither is what is measured: python -m local.bench.loadgen

Both send batches of a hundred to a stand-in that accepts everything; what counts is the CPU time of the sender, so that
the ceiling is that of one core. Beside them a loop with httpx, as one would write it. Then a rate is held for a while;
LONG=600 holds it for ten minutes.
"""

import json
import os
import resource
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from local.bench.figure import Figure
from local.bench.run import Words, main
from local.hosts.web import Web

ROOT = Path(__file__).parents[2]
BATCH, ROUNDS = 100, 3
REACH = 20_000  # events a second of one core
SHARE = 0.8  # of loadgen's ceiling that replay must reach
RATE, WITHIN = 1_000, 0.01


def cpu_of(words: list[str], environ: Mapping[str, str], *, well: bool = True) -> tuple[float, str]:
    """Seconds of CPU of one run, and what it printed; it must have ended well, unless its report is to say."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(
        [sys.executable, "-m", *words], cwd=ROOT, env=os.environ | environ, capture_output=True, text=True, check=well
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, done.stdout


def ceiling(few: list[str], many: list[str], events: int, environ: Mapping[str, str], rounds: int) -> float:
    """Events a second of CPU: what the larger run costs more, so that starting does not count."""
    return max(events / (cpu_of(many, environ)[0] - cpu_of(few, environ)[0]) for _ in range(rounds))


def loadgen(rate: float, seconds: float) -> list[str]:
    return ["local.loadgen", "normal", "--rate", f"{rate:g}", "--duration", f"{seconds:g}", "--batch", f"{BATCH}"]


def replay(path: Path) -> list[str]:
    return ["local.replay", str(path), "--batch", f"{BATCH}", "--i-know-it-counts-twice"]


def recorded(folder: Path, events: int) -> Path:
    """What loadgen would send, as a file."""
    from datetime import UTC, datetime

    from local.loadgen.events import Plan, batch_of

    plan = Plan("normal", 100, events / 100, 1, BATCH, "prod", "0" * 18, datetime(2026, 3, 2, tzinfo=UTC))
    path = folder / f"{events}.ndjson"
    with path.open("w") as file:
        for number in range(plan.batches):
            file.writelines(json.dumps(one) + "\n" for one in batch_of(plan, number))
    return path


def held(environ: Mapping[str, str], seconds: float) -> Figure:
    cpu, said = cpu_of(loadgen(RATE, seconds), environ, well=False)
    report = json.loads(said)
    reached = float(report["events_per_second"])
    what, off = f"off a rate of {RATE:,}/s held for {seconds:g} s", abs(reached - RATE) / RATE * 100
    note = f"with {100 * cpu / seconds:.1f} % of a core, {report['events']['unsent']} of its events not sent"
    return Figure(what=what, value=off, unit="%", target=WITHIN * 100, most=True, note=note)


def figures(words: Words) -> Iterator[Figure]:
    rounds = words.rounds(ROUNDS, 1)
    with tempfile.TemporaryDirectory() as home:
        folder = Path(home)
        stub = Web("stub", ["local.bench.stub_ingest"], folder, {}, ROOT)
        url = f"http://127.0.0.1:{stub.port}"
        environ = {"INGEST_API_URL": url, "PROJECT_API_KEY": "sck_none"}
        try:
            few, many = recorded(folder, 2_000), recorded(folder, 102_000)
            obvious = ["local.bench.obvious_loadgen", url]
            one = ceiling([*obvious, "20", f"{BATCH}"], [*obvious, "220", f"{BATCH}"], 20_000, environ, rounds)
            load = ceiling(loadgen(10_000, 0.2), loadgen(10_000, 5.2), 50_000, environ, rounds)
            yield sender("loadgen", load, one, REACH)
            yield sender("replay", ceiling(replay(few), replay(many), 100_000, environ, rounds), one, SHARE * load)
            yield held(environ, float(os.environ.get("LONG") or words.rounds(20, 5)))
        finally:
            stub.stop()


def sender(name: str, rate: float, obvious: float, reach: float) -> Figure:
    what = f"{name}, batches of {BATCH} to a stand-in"
    return Figure(what=what, value=rate, unit="a CPU second", baseline=obvious, target=reach, cpu_us=1e6 / rate)


if __name__ == "__main__":
    sys.exit(main("loadgen", __doc__, figures))
