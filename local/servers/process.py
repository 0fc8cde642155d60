"""A server this harness started: its log, its pid on disk, and how it is stopped; also after the harness was killed."""

import json
import os
import random
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from pathlib import Path

import psutil

from common.errors import Misconfigured

Words = list[str | Path]
NOBODY = 65534
# Not those which the system lends to whoever connects: one lent out is taken when its server is started again.
ANY = range(12_000, 32_000)


class Missing(Misconfigured):
    """A program that is not installed here; the sentence says how to get it."""


class Process:
    """One child. `run` holds a note with its pid and birth, so that a later harness knows a stale one as ours."""

    def __init__(self, name: str, popen: "subprocess.Popen[bytes]", log: Path, note: Path) -> None:
        self.name, self.popen, self.log, self.note = name, popen, log, note

    @property
    def pid(self) -> int:
        return self.popen.pid

    @property
    def alive(self) -> bool:
        return self.popen.poll() is None

    def stop(self, how: signal.Signals = signal.SIGTERM, seconds: float = 10) -> None:
        """Ask, wait, insist."""
        if self.alive:
            self.popen.send_signal(how)
            try:
                self.popen.wait(seconds)
            except subprocess.TimeoutExpired:
                kill_group(self.pid)
                self.popen.wait()
        self.note.unlink(missing_ok=True)

    def last_words(self, lines: int = 12) -> str:
        with suppress(OSError):
            return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])
        return ""


def start(
    name: str,
    argv: Words,
    home: Path,
    *,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    unprivileged: bool = False,
) -> Process:
    """Start it with its output in home/<name>.log and its note in home/<name>.pid."""
    log, note = home / f"{name}.log", home / f"{name}.pid"
    user = NOBODY if unprivileged else None
    with log.open("ab") as output:
        popen = subprocess.Popen(
            [str(word) for word in argv],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=dict(env) if env is not None else None,
            cwd=cwd,
            start_new_session=True,  # Ctrl-C reaches the harness alone, which then stops its children in order
            user=user,
            group=user,
            extra_groups=[] if unprivileged else None,
        )
    try:
        with suppress(psutil.NoSuchProcess):
            note.write_text(json.dumps({"pid": popen.pid, "born": psutil.Process(popen.pid).create_time()}))
    except OSError:  # a full disk: nobody would ever know it as ours, so it must not go on
        kill_group(popen.pid)
        raise
    return Process(name, popen, log, note)


def stop_leftover(note: Path, how: signal.Signals = signal.SIGTERM, seconds: float = 10) -> bool:
    """Stop what a killed predecessor left running; another process that got its pid meanwhile is not it."""
    try:
        said = json.loads(note.read_text())
        process = psutil.Process(said["pid"])
        if abs(process.create_time() - said["born"]) > 1:
            raise psutil.NoSuchProcess(said["pid"])
        process.send_signal(how)
        with suppress(psutil.TimeoutExpired):
            process.wait(seconds)
        if process.is_running():
            kill_group(process.pid)
            process.wait(seconds)
        return True
    except (OSError, ValueError, KeyError, psutil.NoSuchProcess):
        return False
    finally:
        note.unlink(missing_ok=True)


def kill_group(pid: int) -> None:
    """With its own children: a worker of a killed server might go on for ever."""
    with suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGKILL)


def wait_until(ready: Callable[[], bool], process: Process, seconds: float) -> None:
    """Poll until it answers; a server that died or never answers is one clear error with its last words."""
    until = time.monotonic() + seconds
    while not ready():
        if not process.alive:
            raise Misconfigured(f"{process.name} did not start. Its last words:\n{process.last_words()}")
        if time.monotonic() > until:
            raise Misconfigured(f"{process.name} did not answer within {seconds:.0f} s; its log is {process.log}.")
        time.sleep(0.02)


def listens(port: int, host: str = "127.0.0.1") -> bool:
    with socket.socket() as probe:
        probe.settimeout(0.5)
        return probe.connect_ex((host, port)) == 0


def serves(process: Process, port: int) -> bool:
    """Whether it is this process, or one it started, that listens there: another stack may have been quicker."""
    return port in ports(process)


def ports(process: Process) -> set[int]:
    """On which it, and those it started, listen."""
    with suppress(psutil.NoSuchProcess):
        parent = psutil.Process(process.pid)
        family = [parent, *parent.children(recursive=True)]
        sockets = [one for member in family for one in member.net_connections("tcp")]
        return {one.laddr.port for one in sockets if one.status == psutil.CONN_LISTEN}
    return set()


def free_port(wanted: int = 0, spoken_for: Collection[int] = ()) -> int:
    """The wanted port if it is free and nobody else's, else the next one that is; 0 takes any."""
    wished = range(wanted, wanted + 100) if wanted else random.sample(ANY, 100)
    for port in [one for one in wished if one not in spoken_for]:
        with socket.socket() as probe, suppress(OSError):
            # As the servers bind it: a port in TIME_WAIT is free, one that somebody listens on is not.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", port))
            return port
    raise Misconfigured(f"No free port from {wanted} to {wanted + 99}: stop something that listens there.")


def program(name: str, remedy: str) -> str:
    """Where it is installed: on the PATH, or where systems keep servers; else how to get it."""
    found = shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
    if found is None:
        raise Missing(f"{name} is needed. {remedy}")
    return found


def is_root() -> bool:
    return os.geteuid() == 0


def reachable(path: Path) -> bool:
    """Whether any user may walk to this folder."""
    return all(folder.stat().st_mode & 0o001 for folder in [path, *path.resolve().parents])
