"""One server: memory, events a second, disk per million events, CPU while nothing happens: python -m local.bench.server

Beside it in the same run: a bare interpreter's memory, and an empty database of the same Postgres.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

from common import credentials, settings
from common.clients.postgres.connection import Connection
from local import parts, seed
from local.bench import cpu
from local.bench.figure import Figure
from local.bench.run import Words, main
from local.hosts import call
from local.look import memory
from local.servers import process
from local.servers.postgres import PostgresServer

ROOT = Path(__file__).parent.parent.parent
BATCHES, EVENTS, CALLERS = 200, 100, 4
IDLE_SECONDS = 30
SIZE = "SELECT pg_database_size(current_database())"


@contextmanager
def served(home: Path) -> Iterator[tuple[process.Process, int, Connection]]:
    """A Postgres of its own, and our server beside it."""
    postgres = PostgresServer(home / "servers" / "postgres")
    postgres.start()
    port = process.free_port(23_000)
    env = {"PATH": os.environ["PATH"], "DATABASE_URL": postgres.url(), "SERVER_PORT": str(port)}
    server = process.start("server", [sys.executable, "-m", "local.server"], home, env=env, cwd=ROOT)
    try:
        process.wait_until(lambda: process.listens(port + parts.POLLER_PORT - parts.PUBLIC[0].port), server, 90)
        conn = Connection(settings.read({"DATABASE_URL": postgres.url()}).database)
        yield server, port, conn
        conn.close()
    finally:
        server.stop(seconds=40)
        postgres.stop()


def batch(number: int) -> bytes:
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    event = {"event_type": "error", "occurred_at": now, "message": "x" * 300, "severity": "error"}
    each = [
        {**event, "event_id": str(uuid4()), "attributes": {"error_code": f"E{number % 7}", "route": f"/r/{at % 9}"}}
        for at in range(EVENTS)
    ]
    return json.dumps(each).encode()


def load(port: int, key: str, batches: int) -> float:
    """Seconds until every batch is acknowledged."""
    bodies = [batch(number) for number in range(batches)]
    headers = {"x-api-key": key, "content-type": "application/json"}
    began = time.monotonic()
    with ThreadPoolExecutor(CALLERS) as together:
        answers = together.map(lambda body: call.send(port, "POST", "/v1/events/batch", headers, body).status, bodies)
        assert set(answers) == {202}
    return time.monotonic() - began


def counted(conn: Connection, events: int) -> float:
    """Seconds until the engine and the indexer have all of them."""
    began = time.monotonic()
    while conn.run("SELECT coalesce(sum(value), 0) FROM activity") != [[events]] or conn.run(
        "SELECT count(*) FROM events"
    ) != [[events]]:
        time.sleep(0.05)
        assert time.monotonic() - began < 300
    return time.monotonic() - began


def figures(words: Words) -> Iterator[Figure]:
    with tempfile.TemporaryDirectory(prefix="signals-server-") as folder:
        Path(folder).chmod(0o755)
        with served(Path(folder)) as (server, port, conn):
            key = credentials.mint(credentials.PROJECT_KEY, os.urandom(24))
            seed.make(conn, key, credentials.mint(credentials.ACCESS_TOKEN, os.urandom(24)))
            yield idling(server.pid, words.rounds(IDLE_SECONDS, 3))
            yield remembering("idle", server.pid)
            yield from loaded(conn, port, key, words.rounds(BATCHES, 20))
            yield remembering("after it", server.pid)


def idling(pid: int, seconds: int) -> Figure:
    before = cpu.used(pid)
    time.sleep(seconds)
    share = (cpu.used(pid) - before) / seconds * 100
    return Figure(what="CPU while nothing happens", value=share, unit="% of a core", most=True)


def remembering(when: str, pid: int) -> Figure:
    """The baseline is a bare interpreter."""
    what, used = f"memory {when}, everything but Postgres", memory(pid, children=True) / 1e6
    return Figure(what=what, value=used, unit="MB", baseline=bare() / 1e6, most=True)


def loaded(conn: Connection, port: int, key: str, batches: int) -> Iterator[Figure]:
    """So many batches, until each event is counted and searchable; and what they take on the disk."""
    [[empty]] = conn.run(SIZE)
    events = batches * EVENTS
    taken = load(port, key, batches)
    done = taken + counted(conn, events)
    [[full]] = conn.run(SIZE)
    yield Figure(what="acknowledged", value=events / taken, unit="events/s")
    yield Figure(what="counted and searchable", value=events / done, unit="events/s")
    disk, note = (full - empty) / events / 1000, "events of 450 bytes; log, search, counts and their indexes"
    yield Figure(what="disk of a million events", value=disk, unit="GB", most=True, note=note)


def bare() -> int:
    code = "import psutil; info = psutil.Process().memory_full_info(); print(getattr(info, 'pss', info.rss))"
    return int(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout)


if __name__ == "__main__":
    sys.exit(main("server", __doc__, figures))
