"""A whole stack on this machine, load and all: python -m local.bench.stack [embedded] [native]

Accepted and drained: events are sent as fast as they are accepted; drained is when the last is counted and searchable.
Visible: while a thousand events a second arrive, thirty errors of a new kind are sent now and then; what counts is the
time from sending them until their incident is in the table. Postgres has fsync on.
"""

import json
import shutil
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from http.client import HTTPConnection
from pathlib import Path
from typing import TypeVar

import uvloop

from common import settings
from common.clients.postgres.connection import Connection
from common.clients.search import ask, search_for
from local import seed
from local.bench import cpu
from local.bench.figure import Figure
from local.bench.ingest import BATCH, CONNECTIONS, KEY, MANY, TOKEN, Load, put
from local.bench.run import Words, main
from local.hosts.web import Web, environment, functions_framework
from local.servers import kafka, opensearch, process
from local.servers.kafka import KafkaServer
from local.servers.opensearch import OpenSearchServer
from local.servers.postgres import ROLE, PostgresServer
from migrations.apply import apply, migrations
from migrations.prepare import prepare

ROOT = Path(__file__).parents[2]
JARS = ROOT / ".local" / "jars"
STATIONS = ("indexer", "incident_engine")
EVENTS, DRAINED_REACH, LONGEST = 30_000, 3_000, 120.0
PER_SECOND, AT_ONCE, SPIKES, EVERY, VISIBLE_REACH = 1_000, 25, 50, 0.4, 1.0
COUNTED = "SELECT coalesce(sum(value), 0)::int FROM activity"
OPENED = "SELECT count(*) FROM incidents WHERE error_code = :code"
WARM = 5  # requests
Server = TypeVar("Server", PostgresServer, KafkaServer, OpenSearchServer)


def figures(words: Words) -> Iterator[Figure]:
    for name in words.parts:
        home = Path(tempfile.mkdtemp(prefix="signals-bench-"))
        home.chmod(0o755)
        try:
            with stack(home, name == "native") as (where, ingest):
                yield from drained(name, where, ingest, words.rounds(EVENTS, 5_000))
                yield visible(name, where, ingest, words.rounds(SPIKES, 10))
        finally:
            shutil.rmtree(home, ignore_errors=True)


def drained(name: str, where: settings.Settings, ingest: Web, events: int) -> Iterator[Figure]:
    load = Load("", "/v1/events/batch", MANY, events // BATCH, BATCH, 0, 0)
    uvloop.run(put(ingest.port, load, WARM))  # what is made on first use
    wait_until_drained(where, WARM * BATCH)
    began, before = time.perf_counter(), cpu.used()
    uvloop.run(put(ingest.port, load, load.requests))
    accepted = time.perf_counter() - began
    wait_until_drained(where, WARM * BATCH + events)
    took, used = time.perf_counter() - began, cpu.used() - before
    over = f"in batches of {BATCH} over {CONNECTIONS} connections"
    yield Figure(what=f"{name}, accepted", value=events / accepted, unit="events/s", note=over)
    reach = DRAINED_REACH if name == "embedded" else None
    note = "CPU of all processes together, the sender's too"
    cpu_us = used / events * 1e6
    what, rate = f"{name}, drained: counted and searchable", events / took
    yield Figure(what=what, value=rate, unit="events/s", target=reach, cpu_us=cpu_us, note=note)


def wait_until_drained(where: settings.Settings, events: int) -> None:
    conn, search = Connection(where.database), search_for(where)
    wait_until(lambda: conn.run(COUNTED) == [[events]])
    wait_until(lambda: search.find(ask(seed.ORG), limit=1).total == events)
    conn.close()
    search.close()


def visible(name: str, where: settings.Settings, ingest: Web, spikes: int) -> Figure:
    over = threading.Event()
    background = threading.Thread(target=keep_sending, args=(ingest.port, over))
    background.start()
    time.sleep(2)  # the flow is steady
    try:
        seconds = sorted(seen_after(where, ingest.port, spikes))
    finally:
        over.set()
        background.join()
    middle, late = statistics.median(seconds), seconds[int(len(seconds) * 0.95)]
    what = f"{name}, sent to incident visible at {PER_SECOND:,} events/s, p95"
    note = f"p50 {middle * 1000:.0f} ms"
    return Figure(what=what, value=late * 1000, unit="ms", target=VISIBLE_REACH * 1000, most=True, note=note)


def keep_sending(port: int, over: threading.Event) -> None:
    """A thousand events a second, half of them errors of fifty kinds; one that is late catches up."""
    conn, began, sent = HTTPConnection("127.0.0.1", port), time.perf_counter(), 0
    while not over.is_set():
        kinds = [f"E_{(sent + n) % 50}" if n % 2 else "" for n in range(AT_ONCE)]
        post(conn, [an_event(kind) for kind in kinds])
        sent += AT_ONCE
        over.wait(max(0.0, began + sent / PER_SECOND - time.perf_counter()))
    conn.close()


def seen_after(where: settings.Settings, port: int, spikes: int) -> Iterator[float]:
    """The seconds from the request to the row, for one spike after the other."""
    database, conn = Connection(where.database), HTTPConnection("127.0.0.1", port)
    for number in range(spikes):
        began = time.perf_counter()
        post(conn, [an_event(f"SPIKE_{number}")] * 30)
        wait_until(lambda: database.run(OPENED, code=f"SPIKE_{number}") == [[1]], 0.002)  # noqa: B023 - called at once
        yield time.perf_counter() - began
        time.sleep(EVERY)
    conn.close()
    database.close()


def an_event(code: str) -> dict[str, object]:
    now = datetime.now(UTC).isoformat()
    event = {"occurred_at": now, "environment": "prod", "message": "Upstream payment provider timed out after 3000 ms"}
    if not code:
        return event | {"event_type": "http_request", "attributes": {"route": "/cart", "status_code": 200}}
    return event | {"event_type": "error", "attributes": {"route": "/pay", "error_code": code}}


def post(conn: HTTPConnection, events: list[dict[str, object]]) -> None:
    headers = {"content-type": "application/json", "x-api-key": KEY}
    conn.request("POST", "/v1/events/batch", json.dumps(events), headers)
    answer = conn.getresponse()
    answer.read()
    assert answer.status == 202


def wait_until(condition: Callable[[], bool], pause: float = 0.1) -> None:
    until = time.perf_counter() + LONGEST
    while not condition():
        assert time.perf_counter() < until, f"not within {LONGEST:.0f} s"
        time.sleep(pause)


@contextmanager
def stack(home: Path, native: bool) -> Iterator[tuple[settings.Settings, Web]]:
    """Stores, ingest, the two stations that count and index, and the poller with its clock."""
    with ExitStack() as running:
        environ = stores(home, native, running) | {"INTERNAL_KEY": "bench", "LOG_LEVEL": "error"}
        where = settings.read(environ)
        owner = Connection(where.database)
        seed.make(owner, KEY, TOKEN)
        owner.close()
        hosts = {
            name: functions_framework(f"functions/{name}/main.py", home, environ, ROOT)
            for name in ("ingest", *STATIONS)
        }
        for host in hosts.values():
            running.callback(host.stop)
        fed = ",".join(f"{name}=http://127.0.0.1:{hosts[name].port}" for name in STATIONS)
        more = {"POLLER_STATIONS": fed, "POLLER_SCHEDULES": "here", "POLLER_PORT": "0"}
        poller = process.start("poller", [sys.executable, "-m", "local.poller"], home, env=environment(environ | more))
        running.callback(poller.stop)
        yield where, hosts["ingest"]


def stores(home: Path, native: bool, running: ExitStack) -> dict[str, str]:
    """Started and prepared; the connection variables."""
    postgres = started(PostgresServer(home / "servers" / "postgres"), running)
    environ = {"DATABASE_URL": postgres.url()}
    if native:
        broker = started(KafkaServer(home / "servers" / "kafka", kafka.jars(JARS)), running)
        node = started(OpenSearchServer(home / "servers" / "opensearch", opensearch.jars(JARS)), running)
        environ |= {"KAFKA_BROKERS": broker.brokers, "OPENSEARCH_URL": node.url}
    owner = postgres.connect(ROLE, "signals")
    apply(owner, migrations())
    prepare(owner, settings.read(environ), datetime.now(UTC).date(), ahead=1)
    owner.close()
    return environ


def started(server: Server, running: ExitStack) -> Server:
    running.callback(server.stop)  # first: one that does not answer in time is stopped too
    server.start()
    return server


if __name__ == "__main__":
    sys.exit(main("stack", __doc__, figures, ("embedded", "native")))
