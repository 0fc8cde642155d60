"""lint, fmt, test, bench, faults: what a contributor runs, and what CI runs; the same words."""

import os
import subprocess
import sys

from common import lookup
from common.errors import Misconfigured
from local import state
from local.servers import java, kafka, opensearch


def lint() -> int:
    """ruff and `mypy --strict` over everything; both are run, even if the first complains."""
    results = [tool("ruff", "check", "."), tool("ruff", "format", "--check", "."), tool("mypy")]
    return max(results)


def fmt() -> int:
    return max(tool("ruff", "check", "--fix", "."), tool("ruff", "format", "."))


MEASURED = ("coverage", "run", "--parallel-mode", "-m", "pytest")
WHOLE = ("tests/stacks", "tests/packaged")
REST = ("tests", *(f"--ignore={folder}" for folder in WHOLE))


def test(arguments: list[str]) -> int:
    """All tests, on servers they start themselves; coverage is reported. `make test ARGS=...` goes to pytest."""
    state.prepare()
    fetch_servers()
    tool("coverage", "erase")
    code = tool(*MEASURED, *arguments) if arguments else halves()
    tool("coverage", "combine", "--quiet")
    tool("coverage", "report", "--format=total")
    return code


def halves() -> int:
    """One after the other: what is killed and what is waited for wants the machine for itself."""
    return max(tool(*MEASURED, *REST), tool(*MEASURED, *WHOLE))


def fuzz() -> int:
    """The API is asked everything its description allows (N=200: more of each operation), then every parser of bytes

    from outside is given what nobody would send (FUZZ_SECONDS=600: longer), guided by coverage where atheris is.
    """
    asked = tool("pytest", "tests/stacks/test_core_api_fuzz.py")
    return max(asked, tool("tests.fuzzing", "--seconds", os.environ.get("FUZZ_SECONDS", "20")))


def fetch_servers() -> None:
    """Both halves need them; without Java and Maven their tests are left out, loudly; under CI that is a failure."""
    try:
        java.java(17)
        for jars in (kafka.jars, opensearch.jars):
            jars(state.HOME / "jars")
    except Misconfigured as error:
        if os.environ.get("CI"):
            raise
        print(f"LEFT OUT: every test on a real Kafka and OpenSearch. {error}", file=sys.stderr)


# Each prints its figures beside a baseline measured in the same run.
BENCHES = (
    "edges",
    "stream",
    "search",
    "poller",
    "ingest",
    "engine",
    "paths",
    "ai",
    "api",
    "loadgen",
    "stack",
    "cold",
    "server",
)
QUICK = ("edges", "stream", "poller", "ingest", "engine", "ai", "server")


def bench(names: list[str], *, quick: bool) -> int:
    """All of them, or those named, then one table; it takes most of an hour, and wants the machine for itself."""
    from local.bench import record  # loads what only a developer has

    if unknown := set(names) - set(BENCHES):
        raise Misconfigured(f"There is no bench {', '.join(unknown)}: there are {', '.join(BENCHES)}.")
    state.prepare()
    kept = record.path_of(quick=quick)
    words = ["--json", str(kept), *(["--quick"] if quick else [])]
    results = []
    for name in names or (QUICK if quick else BENCHES):
        print(f"== {name}", flush=True)
        results.append(tool(f"local.bench.{name}", *words))
    print(f"\nAll that is known of this commit, kept in {kept.relative_to(state.ROOT)}:")
    return max(*results, tool("local.bench.compare", str(kept)))


HISTORIES_A_KILL = 200


def faults(histories: int) -> int:
    """Random histories through the whole engine, with crashes between any two steps, against a plain model.

    And for every 200 of them a whole stack of each kind whose parts are killed one by one. Seeds are printed.
    """
    kills = max(1, histories // HISTORIES_A_KILL)
    return max(tool("tests.counted", "--n", str(histories)), tool("local.soak", "--kills", str(kills)))


def tool(name: str, *arguments: str) -> int:
    """Run it to its end, without the connection variables of the caller's shell; one that was killed has not passed."""
    environ = {key: value for key, value in os.environ.items() if key not in lookup.NAMES}
    words = [sys.executable, "-m", name, *arguments]
    return abs(subprocess.run(words, cwd=state.ROOT, env=environ, check=False).returncode)
