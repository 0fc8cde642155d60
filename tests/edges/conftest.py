"""Every sample function in every real host, each started when first asked for and kept until the end."""

import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import pytest

from local.hosts import aws, openwhisk, web
from local.hosts.call import Host

ROOT = Path(__file__).parent.parent.parent
NEW_KEY, OLD_KEY = "new-internal-key", "old-internal-key"
STARTED_BY: "dict[str, Callable[..., Host]]" = {
    "functions-framework": web.functions_framework,
    "uvicorn": web.uvicorn,
    "lambda": aws.Lambda,
    "openwhisk": openwhisk.OpenWhisk,
}
KINDS = tuple(STARTED_BY)


class Hosts:
    """`hosts("uvicorn", "http")` is tests/edges/sample_http.py under uvicorn."""

    def __init__(self, home: Path) -> None:
        self.home, self.started = home, dict[tuple[str, str], Host]()
        self.fail_file = home / "fail"

    def __call__(self, kind: str, sample: str) -> Host:
        if (kind, sample) not in self.started:
            env = {"INTERNAL_KEY": f"{NEW_KEY},{OLD_KEY}", "FAIL_FILE": str(self.fail_file)}
            source = f"tests/edges/sample_{sample}.py"
            self.started[kind, sample] = STARTED_BY[kind](source, self.home, env, ROOT)
        return self.started[kind, sample]

    def all(self, sample: str) -> dict[str, Host]:
        return {kind: self(kind, sample) for kind in KINDS}


class Lines(NamedTuple):
    """What a host logged since this was made, but for its counters."""

    host: Host
    before: int

    def new(self, count: int = 1) -> "list[dict[str, object]]":
        """Waits for so many: an app's line is written when its answer is on the way already."""
        until = time.monotonic() + 10
        while len(said(self.host)) < self.before + count and time.monotonic() < until:
            time.sleep(0.01)
        return said(self.host)[self.before :]


def listen(host: Host) -> Lines:
    return Lines(host, len(said(host)))


def said(host: Host) -> "list[dict[str, object]]":
    return [line for line in host.lines() if line.get("message") != "metrics"]


@pytest.fixture(scope="session")
def hosts() -> Iterator[Hosts]:
    with tempfile.TemporaryDirectory(prefix="signals-edges-") as home:
        made = Hosts(Path(home))
        yield made
        with ThreadPoolExecutor() as together:
            list(together.map(lambda host: host.stop(), made.started.values()))
