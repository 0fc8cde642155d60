"""`python -m tests.fuzzing [target …] --seconds N`: each target for so long, guided by coverage where atheris is.

What it finds is kept in `.local/fuzz/<target>/` with the traceback on the screen; put the input into
`fixtures/corpus/<target>/` when it is mended, and the suite tries it for ever after.
"""

import argparse
import importlib.util
import os
import subprocess
import sys
import time
import traceback
from hashlib import sha256
from pathlib import Path
from random import Random

from local import state
from tests.fuzzing.mutation import LONGEST, mutated

CORPUS = state.ROOT / "fixtures/corpus"
FOUND = state.HOME / "fuzz"


def main() -> int:
    words = argparse.ArgumentParser(prog="fuzzing", description=__doc__)
    words.add_argument("targets", nargs="*")
    words.add_argument("--seconds", type=int, default=20, help="for each target")
    words.add_argument("--guided", action="store_true", help=argparse.SUPPRESS)  # the process atheris takes over
    given = words.parse_args()
    os.environ["LOG_LEVEL"] = "error"
    if given.guided:
        guided(given.targets[0], given.seconds)
    from tests.fuzzing.targets import TARGETS

    wanted = given.targets or list(TARGETS)
    if unknown := set(wanted) - TARGETS.keys():
        words.error(f"there is no {', '.join(unknown)}: there are {', '.join(TARGETS)}")
    return max(one(name, given.seconds) for name in wanted)


def one(name: str, seconds: int) -> int:
    """0 if nothing was found."""
    (FOUND / name).mkdir(parents=True, exist_ok=True)
    print(f"== {name}", flush=True)
    if importlib.util.find_spec("atheris"):
        words = [sys.executable, "-m", "tests.fuzzing", name, "--guided", "--seconds", str(seconds)]
        return int(subprocess.run(words, cwd=state.ROOT, check=False).returncode != 0)
    return unguided(name, seconds)


def unguided(name: str, seconds: int) -> int:
    from tests.fuzzing.targets import TARGETS

    seed, until, count = time.time_ns(), time.monotonic() + seconds, 0
    for data in mutated(kept(name), Random(seed)):
        count += 1
        try:
            TARGETS[name](data)
        except Exception:
            keep(name, data)
            return 1
        if time.monotonic() > until:
            break
    print(f"{count} inputs, nothing found")
    return 0


def guided(name: str, seconds: int) -> None:
    """Never returns: libFuzzer ends the process, with an input in FOUND if it found one."""
    import atheris

    with atheris.instrument_imports(include=["common", "functions", "local"]):
        from tests.fuzzing.targets import TARGETS
    grown = FOUND / name / "corpus"
    grown.mkdir(exist_ok=True)
    options = [f"-max_total_time={seconds}", f"-max_len={LONGEST}", f"-artifact_prefix={FOUND / name}/", "-timeout=10"]
    atheris.Setup(
        [sys.argv[0], *options, "-verbosity=0", "-print_final_stats=1", str(grown), str(CORPUS / name)], TARGETS[name]
    )
    atheris.Fuzz()


def kept(name: str) -> list[bytes]:
    return [path.read_bytes() for path in sorted(Path(CORPUS / name).iterdir())]


def keep(name: str, data: bytes) -> None:
    traceback.print_exc()
    path = FOUND / name / f"found-{sha256(data).hexdigest()[:12]}"
    path.write_bytes(data)
    print(f"kept as {path}")


if __name__ == "__main__":
    sys.exit(main())
