"""Our functions behind a socket: functions-framework and uvicorn, each on a free loopback port."""

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from local.hosts import call
from local.servers import process
from local.servers.process import Process, Words


class Web:
    """One server process; `argv` follows `python -m`, and gets the port."""

    def __init__(
        self,
        name: str,
        argv: Words,
        home: Path,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        python: str | Path = sys.executable,
    ) -> None:
        self.port = process.free_port()
        words: Words = [python, "-m", *argv, "--host", "127.0.0.1", "--port", str(self.port)]
        self.process: Process = process.start(name, words, home, env=environment(env), cwd=cwd)
        process.wait_until(lambda: process.listens(self.port), self.process, 30)

    def request(
        self, method: str, target: str, headers: Mapping[str, str] | None = None, body: bytes = b""
    ) -> call.Answer:
        return call.send(self.port, method, target, headers, body)

    def lines(self) -> list[dict[str, Any]]:
        return call.json_lines(self.process.log.read_text())

    def stop(self) -> None:
        self.process.stop()


def functions_framework(
    source: str,
    home: Path,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    python: str | Path = sys.executable,
) -> Web:
    """As on Cloud Run: the module's `gcp`, in the async flavour."""
    words: Words = ["functions_framework", "--source", source, "--target", "gcp", "--asgi"]
    return Web(_named("ff", source), words, home, env, cwd, python)


def uvicorn(source: str, home: Path, env: Mapping[str, str] | None = None, cwd: Path | None = None) -> Web:
    """The module's `asgi`, with nothing around it."""
    module = source.removesuffix(".py").replace("/", ".")
    return Web(_named("uvicorn", source), ["uvicorn", f"{module}:asgi", "--log-level", "warning"], home, env, cwd)


def environment(env: Mapping[str, str] | None) -> dict[str, str]:
    """A platform's environment is its own: only what a process needs to start, and what was given."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ}
    return kept | dict(env or {})


def _named(host: str, source: str) -> str:
    return f"{host}-{source.removesuffix('.py').replace('/', '-')}"
