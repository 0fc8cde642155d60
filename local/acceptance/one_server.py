"""The one server, as its unit runs it: `python -m local.server` beside a Postgres and a model that are not its own."""

import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import IO, Any

import psutil

from common import settings
from local import parts, seed, state
from local.acceptance.check import CouldNot
from local.acceptance.system import System, kill
from local.harness import url
from local.servers import process
from local.servers.postgres import PostgresServer
from local.servers.process import Process, Words

STACK = "server"
FIRST_PORT = 23_200
START_SECONDS, STOP_SECONDS = 90, 45


class OneServer(System):
    """What dies is started again by the server itself, which has no harness above it."""

    def __init__(self) -> None:
        super().__init__(STACK)
        state.prepare()
        self._lock: IO[bytes] | None = None
        self._postgres = PostgresServer(state.HOME / "postgres", state.port_for("postgres"))
        self._running: dict[str, Process] = {}

    def start(self, **variables: str) -> None:
        self.forget()
        self._lock = state.lock()
        if self._lock is None:
            raise CouldNot("another stack of this folder runs: say make down first")
        self._postgres.start()
        self._start_model()
        first = state.port_for(STACK, FIRST_PORT)
        self._start_server({"SERVER_PORT": str(first)} | variables, first + parts.POLLER_PORT - parts.PUBLIC[0].port)
        keys = seed.demo(settings.read({"DATABASE_URL": self._postgres.url()}).database)
        addresses = {part.address: url(first + part.port - parts.PUBLIC[0].port) for part in parts.PUBLIC}
        state.write_env({"DATABASE_URL": self._postgres.url()} | addresses | keys)

    def stop(self) -> None:
        for name in (STACK, parts.MODEL):
            if name in self._running:
                self._running.pop(name).stop(seconds=STOP_SECONDS)
        self._postgres.stop()
        if self._lock:
            self._lock.close()

    def account(self) -> dict[str, Any]:
        """It is always started anew."""
        return super().account() if not self._running else {}

    def part(self, name: str) -> psutil.Process:
        """Its children are known by what they serve."""
        if name in (parts.MODEL, self.broker):
            return super().part(name)
        served = f"functions.{name}.main:asgi"
        for child in psutil.Process(self._running[STACK].pid).children():
            if served in child.cmdline():
                return child
        raise CouldNot(f"{name} does not run at the moment")

    @contextmanager
    def without(self, name: str) -> Iterator[None]:
        kill(self.part(name))
        try:
            yield
        finally:
            if name == parts.MODEL:
                self._start_model()
            else:
                self._postgres.start()

    def _start_model(self) -> None:
        port = state.port_for(parts.MODEL, parts.MODEL_PORT)
        words: Words = [sys.executable, "-m", "local.model", "--port", str(port)]
        self._running[parts.MODEL] = process.start(parts.MODEL, words, state.RUN, cwd=state.ROOT)
        self._model = url(port)

    def _start_server(self, variables: Mapping[str, str], last_port: int) -> None:
        """With the few variables that its unit would have, and until its poller answers."""
        model = {"GRADIENT_BASE_URL": f"{self._model}/v1", "GRADIENT_MODEL": "stand-in"}
        env = {"PATH": os.environ["PATH"], "DATABASE_URL": self._postgres.url(), **model, **variables}
        server = process.start(STACK, [sys.executable, "-m", "local.server"], state.RUN, env=env, cwd=state.ROOT)
        self._running[STACK] = server
        process.wait_until(lambda: process.listens(last_port), server, START_SECONDS)
