"""What tests of the poller stand on: a station that is told how to fail, another that answers by a script, feeders."""

import json
import sys
import threading
import time
from collections.abc import Callable, Iterable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple
from uuid import uuid4

import msgspec

from common import settings, topics
from common.clients.postgres.database import Database
from common.clients.stream import Stream, kafka_topics, partition_of
from common.clients.stream.dead import Letter
from common.clients.stream.dead import read as read_letter
from local.hosts.web import environment
from local.poller.feeder import Feeder
from local.poller.pace import Pace
from local.poller.stations import Station
from local.poller.stopped import Stopped
from local.servers import process
from tests import servers
from tests.streams import Engine, wait_for

QUICK = Pace(
    first=0.1, longest=0.4, split=0.02, down=0.1, down_longest=0.3, probe=1.0, shout=0.2, idle=0.1, stop=2, ask=0.1
)
KEY = "a-key-of-tests"
Answer = tuple[int, dict[str, str], bytes]
ALL_TAKEN: Answer = (200, {}, b'{"batchItemFailures":[]}')


class Batch(NamedTuple):
    what: str
    records: list[tuple[int, int, dict[str, Any]]]
    at: float


class Probe:
    """tests/probe.py, or another such module, under uvicorn, started again when it dies, as any platform does."""

    def __init__(self, home: Path, topic: str, environ: dict[str, str], module: str = "tests.probe") -> None:
        self.home, self.port, self._module = home, process.free_port(), module
        home.mkdir()
        self._env = environment(environ | {"PROBE": str(home), "PROBE_TOPIC": topic, "INTERNAL_KEY": KEY})
        self._closing = threading.Event()
        self.process = self._start()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def tell(self, what: str, text: str = "") -> None:
        (self.home / what).write_text(text)

    def untell(self, what: str) -> None:
        (self.home / what).unlink()

    def batches(self, what: str = "did") -> list[Batch]:
        journal = self.home / "journal"
        lines = [json.loads(line) for line in journal.read_text().splitlines()] if journal.exists() else []
        return [Batch(one["what"], [tuple(r) for r in one["batch"]], one["at"]) for one in lines if one["what"] == what]

    def done(self) -> dict[int, list[int]]:
        """By partition the offsets it has done, in the order in which it did."""
        found: dict[int, list[int]] = {}
        for batch in self.batches():
            for partition, offset, _ in batch.records:
                found.setdefault(partition, []).append(offset)
        return found

    def close(self) -> None:
        self._closing.set()
        self._thread.join()
        self.process.stop(seconds=1)

    def _start(self) -> process.Process:
        words: process.Words = [sys.executable, "-m", "uvicorn", f"{self._module}:asgi", "--log-level", "warning"]
        words += ["--host", "127.0.0.1", "--port", str(self.port), "--timeout-graceful-shutdown", "1"]
        started = process.start("probe", words, self.home, env=self._env, cwd=servers.ROOT)
        process.wait_until(lambda: process.listens(self.port), started, 30)
        return started

    def _watch(self) -> None:
        while not self._closing.wait(0.02):
            if not self.process.alive:
                self.process = self._start()


class Scripted:
    """A station of a few lines: `answer(body, headers)` says what it answers; what it got is kept."""

    def __init__(self, answer: Callable[[dict[str, Any]], Answer], port: int) -> None:
        self.bodies: list[dict[str, Any]] = []
        self.sizes: list[int] = []
        self.keys: list[str | None] = []
        station = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                content = self.rfile.read(int(self.headers["content-length"]))
                body = json.loads(content)
                station.bodies.append(body)
                station.sizes.append(len(content))
                station.keys.append(self.headers["x-internal-key"])
                status, headers, said = answer(body)
                self.send_response(status)
                for name, value in (headers | {"content-length": str(len(said))}).items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(said)

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    def all_offsets(self, partition: int = 0) -> list[int]:
        """What all requests brought of it, one after the other."""
        return list(chain.from_iterable(self.offsets(partition)))

    def offsets(self, partition: int = 0) -> list[list[int]]:
        """What each request brought of a partition."""
        return [
            [
                one["offset"]
                for name, records in body["records"].items()
                for one in records
                if one["partition"] == partition
            ]
            for body in self.bodies
        ]

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


class Room:
    """An engine with a topic of its own, dead letters, a database for stops; and everything that runs on it."""

    def __init__(self, kind: str, folder: Path) -> None:
        self.engine, self.folder = Engine(kind), folder
        self.database_url = self.engine.url or servers.fresh_database()
        self.environ = self.engine.environ | {"DATABASE_URL": self.database_url}
        self.settings = settings.read(self.environ)
        if self.settings.kafka:
            kafka_topics.make(self.settings.kafka, topics.DLQ, 3, 86_400)
        self.partitions = 3
        self.topic = self.engine.topic(self.partitions)
        self.stream = self.engine.stream()
        self._closing: list[Callable[[], object]] = []

    def publish(self, records: Iterable[dict[str, Any]], partition: int | None = None) -> None:
        """Each with its number; all in this partition, or spread over all."""
        items = []
        for n, record in enumerate(records):
            key = key_in(n % self.partitions if partition is None else partition, self.partitions)
            items.append((key, json.dumps(record).encode()))
        for at in range(0, len(items), 500):
            self.stream.publish(self.topic, items[at : at + 500]).wait()

    def probe(self, module: str = "tests.probe") -> Probe:
        made = Probe(self.folder / f"probe-{uuid4().hex[:6]}", self.topic, self.environ, module)
        self._closing.append(made.close)
        return made

    def scripted(self, answer: Callable[[dict[str, Any]], Answer], port: int = 0) -> Scripted:
        made = Scripted(answer, port)
        self._closing.append(made.close)
        return made

    def station(self, url: str, **more: Any) -> Station:
        return Station(**{"name": "probe", "url": url, "topic": self.topic, "group": "group"} | more)

    def feed(self, url: str, poison_tries: int = 3, stream: Stream | None = None, **more: Any) -> Feeder:
        """A feeder in a thread of this process."""
        times = QUICK
        stopped = Stopped(Database(1, lambda: self.settings.database), times)
        feeder = Feeder(
            self.station(url, **more),
            stream or self.stream,
            stopped,
            threading.Event(),
            key=KEY,
            poison_tries=poison_tries,
            times=times,
        )
        thread = threading.Thread(target=feeder.run, daemon=True)
        thread.start()

        def end() -> None:
            feeder.stopping.set()
            thread.join(20)
            stopped.close()
            assert not thread.is_alive()

        self._closing.append(end)
        return feeder

    def poller(self, url: str, **more: Any) -> process.Process:
        """A poller in a process of its own, for tests to kill: tests/poller.py."""
        plan = {"station": msgspec.to_builtins(self.station(url, **more)), "times": msgspec.to_builtins(QUICK)}
        words: process.Words = [sys.executable, "-m", "tests.poller", json.dumps(plan)]
        env = environment(self.environ | {"INTERNAL_KEY": KEY})
        made = process.start(f"poller-{uuid4().hex[:6]}", words, self.folder, env=env, cwd=servers.ROOT)
        self._closing.append(lambda: made.stop(seconds=1))
        return made

    def letters(self, count: int) -> list[Letter]:
        """So many dead letters of this topic."""
        reader = self.engine.reader(topics.DLQ, f"g{uuid4().hex[:8]}")
        found: list[Letter] = []
        until = time.monotonic() + 15
        while len(found) < count and time.monotonic() < until:
            letters = [read_letter(one.value or b"") for one in reader.read(1000, 8_000_000, 0.2)]
            found += [one for one in letters if one.topic == self.topic]
        return found

    def close(self) -> None:
        for close in reversed(self._closing):
            close()
        self.engine.close()
        if self.engine.kind == "kafka":
            servers.drop_database(self.database_url)


def key_in(partition: int, partitions: int) -> bytes:
    """A key that goes to this partition."""
    return next(key for key in (b"%d" % n for n in range(10_000)) if partition_of(key, partitions) == partition)


def numbered(count: int, **more: Any) -> list[dict[str, Any]]:
    return [{"n": n, **more} for n in range(count)]


def wait_for_done(probe: Probe, count: int, seconds: float = 20) -> None:
    """Until it has done so many different records."""
    wait_for(lambda: sum(len(set(offsets)) for offsets in probe.done().values()) >= count, seconds)
