"""A stack in a folder of its own, each store behind a way that can be slow, some on a disk that can be full."""

import json
import os
import secrets
import shutil
import signal
import sys
import time
from collections.abc import Sequence
from contextlib import closing, suppress
from pathlib import Path

import httpx
import psutil

from common import lookup
from common.errors import Unavailable
from local import parts
from local.checkout import Checkout, clean_environment, told
from local.servers import opensearch, process
from local.servers.postgres import OWNER, PostgresServer
from local.servers.process import Process
from local.soak.disk import Disk
from local.soak.network import Way
from local.soak.schedule import LOGS, STORES

START_SECONDS, STOP_SECONDS, VERB_SECONDS = 300, 120, 120
FIRST, LAST_FIRST = 20_000, 30_000  # below those that the system gives to whoever asks for any
MOST_WAL_FILES = 200
DEMO = {"S3_BUCKET": ""}  # no archive, which nobody asks anything here


class OwnStack:
    def __init__(self, name: str, folder: Path, *, full: bool) -> None:
        """`full`: its disks are small ones that can be."""
        self.name, self.checkout = name, Checkout(folder)
        self.home = self.checkout.root / ".local"
        (self.home / "ports.json").write_text(json.dumps(ports(name)))
        self.ways = {store: Way(lambda store=store: self._port(store)) for store in STORES[name]}  # type: ignore[misc]
        self.disks = {store: Disk(self.home / store / "data", unprivileged=store == "postgres") for store in self.ways}
        self.disks = self.disks | {LOGS: Disk(self.home / "run", unprivileged=False)} if full else {}
        self.harness: Process | None = None

    def start(self, ahead: int = 0) -> None:
        """Everything answers when this returns; its clock is so many seconds ahead."""
        (self.home / "logs").mkdir(exist_ok=True)
        words: process.Words = [sys.executable, "-m", "local.soak.host", self.name]
        words += [f"{store}={way.port}" for store, way in self.ways.items()]
        environ = clean_environment() | DEMO | {"CLOCK_OFFSET_SECONDS": str(ahead)}
        self.harness = process.start("harness", words, self.home / "logs", env=environ, cwd=self.checkout.root)
        process.wait_until((self.home / "running.json").exists, self.harness, START_SECONDS)

    def stop(self) -> None:
        if self.harness:
            self.harness.popen.send_signal(signal.SIGCONT)
            self.harness.stop(seconds=STOP_SECONDS)

    def mount(self) -> None:
        for disk in self.disks.values():
            disk.mount()

    def remove(self) -> None:
        """All of it stopped, also what the harness, were it dead, could not."""
        self.stop()
        self.checkout.remove()
        for way in self.ways.values():
            way.close()
        for log in (self.home / "run").glob("*.log"):  # what a disk in memory holds goes with it
            shutil.copy(log, self.home / "logs")
        for disk in self.disks.values():
            disk.unmount()

    def connections(self) -> dict[str, str]:
        return {name: value for name, value in self.checkout.env().items() if name in lookup.NAMES}

    def ingest(self) -> tuple[str, str]:
        """Its address and a project key, as they are now."""
        env = self.checkout.env()
        return env["INGEST_API_URL"], env["PROJECT_API_KEY"]

    def say(self, *words: str) -> str:
        """What a verb answers, in this stack's folder."""
        return told(self.checkout.root, words, clean_environment() | self.connections(), VERB_SECONDS)

    def family(self, part: str) -> list[psutil.Process]:
        """The process of a part and all it has started; none while it is being started."""
        for folder in ("run", part):
            with suppress(OSError, ValueError, psutil.NoSuchProcess):
                said = json.loads((self.home / folder / f"{part}.pid").read_text())
                parent = psutil.Process(said["pid"])
                return [parent, *parent.children(recursive=True)]
        return []

    def use_up_wal(self) -> None:
        """Postgres keeps some files of its log ready: it ends, and cannot start again, only when these are used up."""
        server = PostgresServer(self.home / "postgres", self._port("postgres"))
        with suppress(Unavailable), closing(server.connect(OWNER)) as owner:
            for _ in range(MOST_WAL_FILES):
                owner.run("SELECT pg_logical_emit_message(false, 'soak', 'x'), pg_switch_wal()")

    def drained(self) -> str:
        """What is still under way; empty if nothing is."""
        try:
            port = self.checkout.env()["POLLER_PORT"]
            stations = httpx.get(f"http://127.0.0.1:{port}/lag", timeout=10).json()["stations"]
        except (httpx.HTTPError, KeyError, ValueError) as error:
            return f"the poller does not say how far it is: {error!r}"
        behind = [name for name, one in stations.items() if not one["partitions"] or one["lag"] or one["stopped"]]
        return f"not at the end: {', '.join(behind)}" if behind else ""

    def _port(self, store: str) -> int:
        return int(json.loads((self.home / "ports.json").read_text())[store])


def ports(stack: str) -> dict[str, int]:
    """Far from where stacks usually look for theirs: another one must not take ours while ours is started again."""
    names = [part.name for part in parts.FUNCTIONS] + [parts.POLLER, parts.MODEL, *STORES[stack]]
    first = secrets.randbelow(LAST_FIRST - FIRST) + FIRST
    found: dict[str, int] = {}
    for place, name in enumerate(names):
        found[name] = process.free_port(first + 3 * place, found.values())
    if "opensearch" in found:  # its runner takes none beyond
        found["opensearch"] = process.free_port(opensearch.FIRST_PORT + 40 + secrets.randbelow(50))
    return found


def send(signal_number: signal.Signals, processes: Sequence[psutil.Process]) -> None:
    for one in processes:
        with suppress(psutil.NoSuchProcess):
            one.send_signal(signal_number)


def settled(stack: OwnStack, seconds: float) -> str:
    """What is still under way when patience ends; empty as soon as nothing is."""
    until = time.monotonic() + seconds
    while (left := stack.drained()) and time.monotonic() < until:
        time.sleep(0.2)
    return left


def reachable_folder(parent: Path) -> Path:
    """A new one in which the user may walk as whom Postgres runs."""
    folder = parent / f"soak-{os.getpid()}-{time.time_ns()}"
    folder.mkdir(mode=0o755)
    return folder
