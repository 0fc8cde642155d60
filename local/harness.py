"""Run a whole stack: stores, migrations, demo keys, functions, poller; watch them; stop them in order."""

import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from types import FrameType
from typing import Any

from common import lookup, settings
from common.errors import Misconfigured
from local import parts, seed, state, summary
from local.observe import targets
from local.parts import Part
from local.servers import process
from local.servers.process import Process, Words
from local.stacks import Stack

LOG_BYTES = 10 * 1024 * 1024
START_SECONDS = 60


class PortTaken(Misconfigured):
    """Another stack that started in the same moment was quicker."""


class Harness:
    """One run. `restart` is set by SIGHUP: the code changed, begin again with the same data, ports and keys."""

    def __init__(self, stack: Stack, *, remote: bool) -> None:
        self.stack, self.remote = stack, remote
        self.env: dict[str, str] = {}
        self.ports: dict[str, int] = {}
        self.children: dict[str, tuple[Words, Process]] = {}
        self.stopping = threading.Event()
        self.restart = False

    def start(self) -> None:
        """Everything answers when this returns."""
        began = time.monotonic()
        self.stack.start()
        self.env = environment(self.stack.connections())
        self._migrate()
        self.env |= {} if self.remote else seed.demo(settings.read(self.env).database)
        for part in parts.FUNCTIONS:
            self.ports[part.name] = state.port_for(part.name, part.port)
        self.env |= {part.address: url(self.ports[part.name]) for part in parts.PUBLIC}
        self.env |= self._poller_variables() | self._model_variables()
        state.write_env(self.env)
        self._start_children()
        self.stack.wait()
        targets.write(self._scraped())
        state.remember("running", self._account(time.monotonic() - began))

    def watch(self) -> None:
        """Until told to stop: what dies is started again, after a second, and says so; logs turn over."""
        while not self.stopping.wait(1.0):
            for name in list(self.children):
                try:
                    self._look_after_child(name)
                except OSError as error:  # a full disk: tried again, so that all goes on by itself once there is room
                    say(f"{name}: {error}; trying again")
            for line in self.stack.revive():
                say(line)

    def stop(self) -> None:
        """Functions first, stores last; all functions at once, for each has its own work to finish."""
        children = [child for _, child in reversed(self.children.values())]
        for child in children:
            if child.alive:
                child.popen.terminate()
        for child in children:
            child.stop()
        self.stack.stop()
        (state.HOME / "running.json").unlink(missing_ok=True)

    def on_signal(self, number: int, _frame: FrameType | None) -> None:
        self.restart = number == signal.SIGHUP
        self.stopping.set()

    def _look_after_child(self, name: str) -> None:
        words, child = self.children[name]
        if not child.alive:
            say(f"{name} ended with {child.popen.returncode}; starting it again")
            process.kill_group(child.pid)  # its workers would hold the port
            self._start_child(name, words)
        turn_over(child.log)

    def _migrate(self) -> None:
        words = [sys.executable, "-m", "migrations.apply"]
        done = subprocess.run(words, cwd=state.ROOT, env=self.env, capture_output=True, text=True, check=False)
        if done.returncode:
            raise Misconfigured(done.stderr.strip() or done.stdout.strip())

    def _start_children(self) -> None:
        """The poller last: it finds its stations there."""
        if parts.MODEL in self.ports:
            port = self.ports[parts.MODEL]
            self._start_child(parts.MODEL, [sys.executable, "-m", "local.model", "--port", str(port)])
        serving = [part for part in parts.FUNCTIONS if self._wanted(part)]
        for part in serving:
            self._start_child(part.name, function_words(part, self.ports[part.name]))
        for part in serving:
            self._wait_for_child(part.name, self.ports[part.name])
        self._start_child(parts.POLLER, [sys.executable, "-m", "local.poller"])
        self._wait_for_child(parts.POLLER, int(self.env["POLLER_PORT"]))

    def _wanted(self, part: Part) -> bool:
        return part.exists and (not part.needs or bool(self.env.get(part.needs)))

    def _poller_variables(self) -> dict[str, str]:
        """It feeds the stations that are there, and runs the clock."""
        fed = [f"{part.name}={url(self.ports[part.name])}" for part in parts.STATIONS if self._wanted(part)]
        port = state.port_for(parts.POLLER, parts.POLLER_PORT)
        return {"POLLER_STATIONS": ",".join(fed), "POLLER_SCHEDULES": "here", "POLLER_PORT": str(port)}

    def _model_variables(self) -> dict[str, str]:
        """The stand-in, unless a model was named, or named as none; never beside somebody's own stores."""
        if self.remote or "GRADIENT_BASE_URL" in os.environ:
            return {}
        port = self.ports[parts.MODEL] = state.port_for(parts.MODEL, parts.MODEL_PORT)
        return {"GRADIENT_BASE_URL": f"{url(port)}/v1", "GRADIENT_MODEL": self.env.get("GRADIENT_MODEL", "stand-in")}

    def _scraped(self) -> dict[str, int]:
        functions = {part.name: self.ports[part.name] for part in parts.FUNCTIONS if self._wanted(part)}
        return functions | {parts.POLLER: int(self.env["POLLER_PORT"])}

    def _wait_for_child(self, name: str, port: int) -> None:
        child = self.children[name][1]
        try:
            process.wait_until(lambda: process.listens(port) and process.serves(child, port), child, START_SECONDS)
        except Misconfigured as error:
            if "address already in use" in str(error).lower():  # and free again, if the other was beaten elsewhere
                raise PortTaken(f"{name}: port {port} was free and is somebody else's now.") from error
            raise

    def _start_child(self, name: str, words: Words) -> None:
        process.stop_leftover(state.RUN / f"{name}.pid")
        self.children[name] = (words, process.start(name, words, state.RUN, env=self.env, cwd=state.ROOT))

    def _account(self, seconds: float) -> dict[str, object]:
        stores = {name: server.process.pid for name, server in self.stack.servers.items() if server.process}
        functions = {name: child.pid for name, (_, child) in self.children.items()}
        return {
            "pid": os.getpid(),
            "stack": self.stack.name,
            "code": state.code_version(),
            "seconds": round(seconds, 1),
            "parts": stores | functions,
        }


def run(stack: Stack, *, remote: bool, quiet: bool) -> int:
    """`emulate`: hold the lock, run the stack in the foreground until Ctrl-C, leave nothing behind."""
    state.prepare()
    held = state.lock()
    if held is None:
        return already_running()
    clear_leftovers()
    harness = Harness(stack, remote=remote)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, harness.on_signal)
    try:
        start(harness)
        if not harness.stopping.is_set():
            print(summary.text(quiet=quiet), flush=True)
        harness.watch()
    finally:
        print("stopping …", flush=True)
        harness.stop()
    if harness.restart:
        os.execv(sys.executable, [sys.executable, "-m", "local", *sys.argv[1:]])  # noqa: S606
    return 0


def start(harness: Harness, tries: int = 4) -> None:
    """On other ports, if somebody was quicker on these; who waits how long is left to chance, or both lose again."""
    try:
        harness.start()
    except PortTaken as error:
        if tries == 1:
            raise
        print(f"{error} Trying again …", flush=True)
        harness.stop()
        time.sleep(3 * random.random())  # noqa: S311
        start(harness, tries - 1)


def already_running() -> int:
    """Show the same addresses and key; if the code changed since, have it begin again first."""
    account = wait_for_account()
    if account.get("code") != state.code_version():
        print("the code changed: installing, migrating and restarting …", flush=True)
        os.kill(account["pid"], signal.SIGHUP)
        wait_for_account(code=state.code_version())
    else:
        print("already running")
    print(summary.text())
    return 0


def wait_for_account(code: str = "", seconds: float = 60) -> dict[str, Any]:
    """The running harness's own account; it may be starting in this very moment."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        account = state.recall("running")
        if account and code in ("", account["code"]):
            return account
        time.sleep(0.1)
    raise Misconfigured("Another `make emulate` holds .local/lock but does not get ready: see its terminal or log.")


def clear_leftovers() -> None:
    """A harness that was killed could not stop its children: do it now, functions before stores."""
    (state.LOGS / "harness.pid").unlink(missing_ok=True)  # a dead one's, or this very process's
    for note in sorted(state.HOME.glob("*/*.pid"), key=lambda note: note.parent != state.RUN):
        how = signal.SIGINT if note.stem == "postgres" else signal.SIGTERM
        if process.stop_leftover(note, how):
            print(f"stopped {note.stem}, left over from a run that was killed", flush=True)


def environment(connections: Mapping[str, str]) -> dict[str, str]:
    """What every part gets: this shell's environment, without our variables of it, and the stack's."""
    inherited = {name: value for name, value in os.environ.items() if name not in lookup.NAMES}
    return inherited | {"INTERNAL_KEY": state.internal_key(), "PYTHONUNBUFFERED": "1"} | dict(connections)


def given_connections(environ: Mapping[str, str]) -> dict[str, str]:
    """Variables of ours that are set already mean: use that one; also where only a file says which."""
    given = {name: value for name, value in environ.items() if name in lookup.NAMES and value}
    named = [name.removesuffix("_FILE") for name in given if name.endswith("_FILE")]
    return given | {name: lookup.reader(environ)(name) for name in named}


def function_words(part: Part, port: int) -> Words:
    words: Words = [sys.executable, "-m", "functions_framework", "--source", part.source, "--target", "gcp"]
    return [*words, "--asgi", "--host", "127.0.0.1", "--port", str(port)]


def url(port: int) -> str:
    return f"http://127.0.0.1:{port}"


def say(line: str) -> None:
    """The disk under our own log may be the full one."""
    with suppress(OSError):
        print(line, flush=True)


def turn_over(log: Path) -> None:
    """Ten megabytes, once more as .1, then from the beginning: whoever writes appends, so cutting is safe."""
    if log.exists() and log.stat().st_size > LOG_BYTES:
        log.with_suffix(".log.1").write_bytes(log.read_bytes())
        os.truncate(log, 0)
