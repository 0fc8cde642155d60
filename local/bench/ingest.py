"""What ingest costs, against the obvious way in the same run: python -m local.bench.ingest

Both are real processes under functions-framework before one real Kafka: ours in the async flavour, the obvious one as
the framework serves it by default. Requests come over 32 connections; what counts is the CPU time of the function's
process with all its threads. Beside them a handler that does nothing, in the async flavour: only what lies above it
is ours. They take turns, and the quietest turn of each counts, since others share the machine.
"""

import asyncio
import json
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import uvloop

from common import credentials, settings
from common.clients.postgres.connection import Connection
from common.clients.stream import upkeep
from local import seed
from local.bench import cpu
from local.bench.figure import Figure
from local.bench.run import Words, main
from local.hosts.web import Web, functions_framework
from local.servers import kafka
from local.servers.postgres import ROLE, PostgresServer
from migrations.apply import apply, migrations
from migrations.prepare import prepare

ROOT = Path(__file__).parents[2]
CONNECTIONS, ROUNDS, BATCH = 32, 5, 100
LONGEST = 60.0  # seconds for one turn
KEY = credentials.mint(credentials.PROJECT_KEY, b"benchmarks use this key.")
TOKEN = credentials.mint(credentials.ACCESS_TOKEN, b"benchmarks use this key.")
OURS, OBVIOUS, NOTHING = "ingest", "obvious", "nothing"

Servers = dict[str, Web]
Start = Callable[[Path, dict[str, str]], Web]


class Load(NamedTuple):
    """`reach` is in events (requests) per second of CPU, `ratio` against the obvious way."""

    name: str
    path: str
    body: bytes
    requests: int
    events: int
    reach: int
    ratio: float | None


def event(number: int) -> dict[str, object]:
    """About 500 bytes."""
    return {
        "event_type": "error",
        "occurred_at": "2026-03-01T12:00:00.123Z",
        "environment": "prod",
        "severity": "error",
        "message": f"Upstream payment provider timed out after 3000 ms while charging the card of order {number}",
        "attributes": {
            "route": f"/api/checkout/{number % 20}/pay",
            "method": "POST",
            "status_code": 504,
            "error_code": "UPSTREAM_TIMEOUT",
            "release": "v2.14.0",
            "service": "checkout",
            "duration_ms": 3001.5,
        },
        "payload": {"order": f"o-{number}", "items": 2, "amount": 49.9, "currency": "EUR", "cart": f"c-{number * 7}"},
    }


MANY, ONE = json.dumps([event(number) for number in range(BATCH)]).encode(), json.dumps(event(0)).encode()
LOADS = (
    Load("batches of 100, events", "/v1/events/batch", MANY, requests=400, events=BATCH, reach=110_000, ratio=4),
    Load("single events, requests", "/v1/events", ONE, requests=4_000, events=1, reach=9_000, ratio=None),
)


class Client(asyncio.Protocol):
    """One connection: the same request again and again, as long as there are some left."""

    def __init__(self, request: bytes, left: list[int], done: "asyncio.Future[None]") -> None:
        self.request, self.left, self.done = request, left, done
        self.received = bytearray()

    def connection_made(self, transport: Any) -> None:
        self.transport = transport
        self.next()

    def next(self) -> None:
        if self.left[0] > 0:
            self.left[0] -= 1
            self.transport.write(self.request)
        else:
            self.transport.close()

    def data_received(self, data: bytes) -> None:
        self.received += data
        head, _, body = self.received.partition(b"\r\n\r\n")
        length = head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0]
        if length and len(body) >= int(length):
            if b" 202 " not in head[:20]:
                self.done.set_exception(RuntimeError(bytes(self.received[:500])))
            self.received.clear()
            self.next()

    def connection_lost(self, _error: Exception | None) -> None:
        if not self.done.done():
            self.done.set_result(None)


async def put(port: int, load: Load, requests: int) -> None:
    head = f"POST {load.path} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\nx-api-key: {KEY}\r\n"
    request = f"{head}content-length: {len(load.body)}\r\n\r\n".encode() + load.body
    loop, left = asyncio.get_running_loop(), [requests]
    ends = [loop.create_future() for _ in range(CONNECTIONS)]
    for end in ends:
        await loop.create_connection(lambda end=end: Client(request, left, end), "127.0.0.1", port)  # type: ignore[misc]
    await asyncio.wait_for(asyncio.gather(*ends), LONGEST)
    assert left == [0], "a connection was closed on us"


def cost(server: Web, load: Load, share: float) -> float:
    """Seconds of CPU an event."""
    requests = int(load.requests * share)
    before = cpu.used(server.process.pid)
    uvloop.run(put(server.port, load, requests))
    return (cpu.used(server.process.pid) - before) / (requests * load.events)


def measured(servers: Servers, load: Load, rounds: int) -> dict[str, float]:
    """Each server's quietest turn."""
    best = dict.fromkeys(servers, float("inf"))
    for server in servers.values():
        cost(server, load, 0.05)  # what is made on first use
    for _ in range(rounds):
        for name, server in servers.items():
            best[name] = min(best[name], cost(server, load, 0.25 if name == OBVIOUS else 1.0))
    return best


def said(load: Load, best: dict[str, float]) -> Figure:
    return Figure(
        what=load.name,
        value=1 / best[OURS],
        unit="a CPU second",
        target=load.reach,
        baseline=1 / best[OBVIOUS],
        times=load.ratio,
        cpu_us=best[OURS] * 1e6,
        note=f"functions-framework alone takes {best[NOTHING] * 1e6:.1f} µs of it",
    )


def stores(home: Path) -> tuple[PostgresServer, kafka.KafkaServer, dict[str, str]]:
    postgres = PostgresServer(home / "servers" / "postgres")
    broker = kafka.KafkaServer(home / "servers" / "kafka", kafka.jars(ROOT / ".local" / "jars"))
    postgres.start()
    broker.start()
    environ = {"DATABASE_URL": postgres.url(), "KAFKA_BROKERS": broker.brokers}
    owner = postgres.connect(ROLE, "signals")
    apply(owner, migrations())
    prepare(owner, settings.read({}), datetime.now(UTC).date(), ahead=1)
    upkeep.make(owner, settings.read(environ), datetime.now(UTC).date(), ahead=1)
    demo(owner)
    owner.close()
    return postgres, broker, environ


def in_framework(source: str) -> Start:
    return lambda home, environ: functions_framework(source, home, environ, ROOT)


def obvious(home: Path, environ: dict[str, str]) -> Web:
    argv = ["functions_framework", "--source", "local/bench/obvious_ingest.py", "--target", "ingest"]
    return Web("obvious", [*argv], home, environ | {"BENCH_KEY": KEY, "PYTHONPATH": str(ROOT)}, ROOT)


STARTS = {
    OURS: in_framework("functions/ingest/main.py"),
    OBVIOUS: obvious,
    NOTHING: in_framework("local/bench/nothing.py"),
}


def demo(conn: Connection) -> None:
    with conn.transaction():
        seed.make(conn, KEY, TOKEN)


def figures(words: Words) -> Iterator[Figure]:
    home = Path(tempfile.mkdtemp(prefix="signals-bench-"))
    home.chmod(0o755)
    running: list[Callable[[], None]] = []
    try:
        postgres, broker, environ = stores(home)
        running += [postgres.stop, broker.stop]
        servers: Servers = {}
        for name, start in STARTS.items():
            servers[name] = start(home, environ)
            running.append(servers[name].stop)
        for load in LOADS:
            yield said(load, measured(servers, load, words.rounds(ROUNDS, 1)))
    finally:
        for stop in reversed(running):
            stop()
        shutil.rmtree(home, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main("ingest", __doc__, figures))
