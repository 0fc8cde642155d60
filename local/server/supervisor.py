"""A handful of processes kept running: migrations first, the poller last, each started again when it ends."""

import os
import secrets
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from datetime import UTC, datetime

from common import log, lookup, settings
from common.errors import Unavailable
from local import parts
from local.parts import Part
from local.servers import process
from migrations.apply import bring_up

START_SECONDS, STOP_SECONDS = 60, 40
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 30.0  # before what ended is started again; doubled while it keeps ending
STEADY_SECONDS = 60  # who ran for so long begins with the first pause again
Words = list[str]
Children = dict[str, Words]


def plan() -> tuple[Children, dict[str, str]]:
    """What is to run, and the environment all of it gets."""
    assert settings.current().database  # said in one sentence if it is missing
    env = dict(os.environ) | {"PYTHONUNBUFFERED": "1"}
    env.setdefault("INTERNAL_KEY", secrets.token_urlsafe(32))
    serving = [part for part in parts.FUNCTIONS if part.exists and (not part.needs or env.get(part.needs))]
    fed = ",".join(f"{part.name}=http://127.0.0.1:{port(part.port)}" for part in serving if part in parts.STATIONS)
    env |= {"POLLER_STATIONS": fed, "POLLER_SCHEDULES": "here", "POLLER_PORT": str(port(parts.POLLER_PORT))}
    children = {part.name: serve(part) for part in serving}
    return children | {parts.POLLER: [sys.executable, "-m", "local.poller"]}, env


def port(wanted: int) -> int:
    """As on a laptop, beginning where SERVER_PORT says."""
    return wanted - parts.PUBLIC[0].port + int(lookup.reader(os.environ)("SERVER_PORT"))


def serve(part: Part) -> Words:
    """The module's `asgi`, half as dear as functions-framework; only what is public may leave loopback."""
    host = lookup.reader(os.environ)("SERVER_HOST") if part in parts.PUBLIC else "127.0.0.1"
    module = part.source.removesuffix(".py").replace("/", ".")
    words = ["--host", host, "--port", str(port(part.port)), "--log-level", "warning", "--no-access-log"]
    return [sys.executable, "-m", "uvicorn", f"{module}:asgi", *words, "--timeout-graceful-shutdown", "30"]


class Child:
    """One process, and when it may be started again."""

    def __init__(self, name: str, words: Words) -> None:
        self.name, self.words = name, words
        self.pause, self.started, self.not_before = FIRST_PAUSE, 0.0, 0.0
        self.popen: subprocess.Popen[bytes] | None = None

    def start(self, env: Mapping[str, str]) -> None:
        self.started = time.monotonic()
        self.popen = subprocess.Popen(self.words, env=env, stdin=subprocess.DEVNULL)

    def ended(self, now: float) -> bool:
        """True once for each end; from then on the pause runs."""
        if self.popen is None or self.popen.poll() is None:
            return False
        self.pause = FIRST_PAUSE if now - self.started > STEADY_SECONDS else min(self.pause * 2, LONGEST_PAUSE)
        self.not_before = now + self.pause
        log.write("error", "server: a part ended", part=self.name, code=self.popen.returncode, again_in=self.pause)
        self.popen = None
        return True


class Supervisor:
    def __init__(self, children: Children, env: Mapping[str, str]) -> None:
        self.env, self.stopping = dict(env), threading.Event()
        self.children = [Child(name, words) for name, words in children.items()]

    def run(self) -> int:
        """Until SIGTERM or SIGINT."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: self.stopping.set())
        migrate(self.stopping)
        try:
            if not self.stopping.is_set():
                self._start()
            while not self.stopping.wait(0.5):
                self.look(time.monotonic())
        finally:
            self.stop()
        return 0

    def _start(self) -> None:
        """The poller last: it finds its stations there."""
        for child in self.children:
            if child.name == parts.POLLER:
                self._wait_for_stations()
            child.start(self.env)
        log.write("info", "server: everything is started", parts=[child.name for child in self.children])

    def look(self, now: float) -> None:
        for child in self.children:
            child.ended(now)
            if child.popen is None and now >= child.not_before:
                child.start(self.env)

    def stop(self) -> None:
        """All at once: each has its own work to finish."""
        running = [child.popen for child in self.children if child.popen]
        for popen in running:
            popen.terminate()
        until = time.monotonic() + STOP_SECONDS
        for popen in running:
            try:
                popen.wait(max(0.1, until - time.monotonic()))
            except subprocess.TimeoutExpired:
                popen.kill()
                popen.wait()

    def _wait_for_stations(self) -> None:
        """The poller finds them there; one that does not come is started again like any other."""
        until = time.monotonic() + START_SECONDS
        names = {child.name for child in self.children}
        ports = [port(part.port) for part in parts.FUNCTIONS if part.name in names]
        while not self.stopping.wait(0.1) and time.monotonic() < until:
            if all(process.listens(port) for port in ports):
                return


def migrate(stopping: threading.Event) -> None:
    """Before anything serves. A database that is not there yet is waited for: both may start with the machine."""
    pause = FIRST_PAUSE
    while not stopping.is_set():
        try:
            applied = bring_up(settings.current(), datetime.now(UTC).date())
            log.write("info", "server: migrated", applied=[one.name for one in applied])
            return
        except Unavailable as error:
            log.write("warn", "server: waits for Postgres", error=str(error))
        stopping.wait(pause)
        pause = min(pause * 2, LONGEST_PAUSE)
