"""lint, fmt, test: what a contributor runs, and what CI runs; the same words."""

import os
import shutil
import subprocess
import sys

from common.errors import Misconfigured
from common.variables import ALSO_UNDERSTOOD, VARIABLES
from local import state
from local.servers import java


def lint() -> int:
    """ruff and `mypy --strict` over everything; both are run, even if the first complains."""
    results = [tool("ruff", "check", "."), tool("ruff", "format", "--check", "."), tool("mypy")]
    return max(results)


def fmt() -> int:
    return max(tool("ruff", "check", "--fix", "."), tool("ruff", "format", "."))


def test(arguments: list[str]) -> int:
    """All tests, on servers they start themselves; coverage is reported. `make test ARGS=...` goes to pytest."""
    state.prepare()
    say_what_is_missing()
    code = tool("coverage", "run", "-m", "pytest", *arguments)
    tool("coverage", "report", "--format=total")
    return code


def say_what_is_missing() -> None:
    """Without Java and Maven the tests of Kafka and OpenSearch are left out, loudly; under CI that is a failure."""
    try:
        java.java(17)
        if shutil.which("mvn") is None:
            raise Misconfigured(f"Maven (mvn) is missing. {java.HINT}")
    except Misconfigured as error:
        if os.environ.get("CI"):
            raise
        print(f"LEFT OUT: every test on a real Kafka and OpenSearch. {error}", file=sys.stderr)


def tool(name: str, *arguments: str) -> int:
    """Run it with this environment's Python, without the connection variables of the caller's shell."""
    ours = {variable.name for variable in VARIABLES} | set(ALSO_UNDERSTOOD)
    environ = {key: value for key, value in os.environ.items() if key not in ours}
    return subprocess.run([sys.executable, "-m", name, *arguments], cwd=state.ROOT, env=environ, check=False).returncode
