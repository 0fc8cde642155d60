"""The engine against the obvious one, in events per second of wall time with Postgres: python -m local.bench.engine

A durable Postgres of its own (fsync on). Both count the same kind of events, in turns, since others share the machine;
each figure is the median of its turns, and four batches make a minute.
"""

import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from time import perf_counter
from uuid import uuid4

from common import settings, topics
from common.clients.ids import new_id
from common.clients.postgres import states
from common.clients.postgres.database import Database
from common.clients.postgres.states import Span
from common.clients.stream import stream_for
from common.edge.records import Record
from common.events.envelope import Attributes, Envelope, EventType, Severity, encode
from functions.incident_engine.engine import Engine
from local.bench import cpu
from local.bench.figure import Figure
from local.bench.naive import Naive
from local.bench.run import Words, main
from local.servers.postgres import ROLE, PostgresServer
from migrations.apply import apply, migrations
from migrations.prepare import prepare

START = datetime(2025, 1, 15, 12, tzinfo=UTC)
LARGE, SMALL, NAIVE = 5_000, 100, 200
WARM, TURNS = 5, 9
BATCHES_A_MINUTE = 4
IDS, ROWS_BEFORE, ROWS_AFTER = 5_000_000, 65_000, 5_000_000
AROUND = 500  # series of the read that must not grow
GROWTH = 1.1


class Traffic:
    """Batch after batch of one project's errors. Calm ones have an hour behind them that makes it the usual."""

    def __init__(self, project: str, partition: int, series: int, *, minted: bool) -> None:
        self.project, self.partition, self.series, self.minted = project, partition, series, minted
        self._offset, self._batches = 0, 0

    def records(self, size: int) -> list[Record]:
        values = self.values(size)
        made = [Record(topics.RAW, self.partition, self._offset + at, 0, value=v) for at, v in enumerate(values)]
        self._offset += size
        return made

    def values(self, size: int) -> list[bytes]:
        at = START + timedelta(minutes=self._batches // BATCHES_A_MINUTE)
        self._batches += 1
        return [encode(self._event(number, at)) for number in range(size)]

    def _event(self, number: int, at: datetime) -> Envelope:
        which = number % self.series
        attributes: Attributes = {
            "route": f"/api/checkout/step{which % 20}",
            "method": "POST",
            "status_code": 504,
            "error_code": f"UPSTREAM_{which}",
            "release": "v2.14.0",
            "service": "checkout",
            "duration_ms": 1234.5,
        }
        payload = {"order": {"id": number, "items": [{"sku": f"sku-{number % 7}", "count": 2}], "currency": "EUR"}}
        text = f"Upstream payment provider timed out after {number} ms while charging the card"
        kind: tuple[EventType, Severity] = ("error", "error")
        return Envelope(
            "1.0", uuid4(), at, at, "acme", self.project, "prod", *kind, text, attributes, payload, self.minted, None
        )


class Bench:
    """One server, one process's engine, and the obvious one beside it."""

    def __init__(self, server: PostgresServer) -> None:
        where = settings.read({"DATABASE_URL": server.url()})
        self.conn = server.connect(ROLE, "signals")
        apply(self.conn, migrations())
        prepare(self.conn, where, datetime.now(UTC).date(), ahead=1)
        self.conn.run("INSERT INTO orgs (id, name) VALUES ('acme', 'Acme')")
        stream = stream_for(where)
        self.engine = Engine(Database(1, lambda: where.database), lambda: stream, new_id)
        self.naive = Naive(where.database)
        self.projects = 0

    def traffic(self, series: int, *, minted: bool = True, calm: bool = True, size: int = LARGE) -> Traffic:
        self.projects += 1
        project = f"p{self.projects}"
        self.conn.run("INSERT INTO projects (id, org_id, name) VALUES (:id, 'acme', 'P')", id=project)
        made = Traffic(project, self.projects, series, minted=minted)
        if calm:
            self.engine.handle(made.records(series))
            self.hour(project, BATCHES_A_MINUTE * size // series)
        return made

    def hour(self, project: str, each: int) -> None:
        """As if so many had come each minute for a long time: minute after minute, all series in each."""
        self.conn.run(
            """
            INSERT INTO buckets (series, minute, value, critical)
            SELECT s.id, s.newest - back, :each, 0 FROM series s, generate_series(1, 75) AS back
             WHERE s.project_id = :project ORDER BY back DESC, s.id
            """,
            project=project,
            each=max(each, 1),
        )
        self.conn.run("ANALYZE series; ANALYZE buckets")

    def compare(self, name: str, traffic: Traffic, size: int, reach: float, turns: int) -> Figure:
        """In turns: a batch of ours, some events the obvious way."""
        ours: list[float] = []
        obvious: list[float] = []
        used = 0.0
        for turn in range(WARM + turns):
            records, values = traffic.records(size), traffic.values(NAIVE)
            before = cpu.used()
            ours.append(seconds(lambda: self.engine.handle(records)) / size)  # noqa: B023 - called at once
            used += cpu.used() - before  # the server's too, which is a child
            if turn >= WARM:
                obvious.append(seconds(lambda: self.naive.handle(values)) / NAIVE)  # noqa: B023
        mine, other, each = median(ours[WARM:]), median(obvious), used / (size * (WARM + turns)) * 1e6
        return Figure(what=name, value=1 / mine, unit="events/s", baseline=1 / other, times=reach, cpu_us=each)

    def remember(self, ids: int) -> None:
        self.conn.run(
            """
            INSERT INTO remembered_ids (week, id)
            SELECT date_trunc('week', now() AT TIME ZONE 'UTC')::date, md5(n::text)::uuid
              FROM generate_series(1, :ids) AS n
            """,
            ids=ids,
        )
        self.conn.run("ANALYZE remembered_ids")

    def growth(self, rows: int) -> Iterator[Figure]:
        """The read of a batch, first with few rows, then with a long history behind each series."""
        traffic = self.traffic(AROUND)
        [[newest]] = self.conn.run("SELECT max(newest) FROM series WHERE project_id = :p", p=traffic.project)
        ids = [row[0] for row in self.conn.run("SELECT id::text FROM series WHERE project_id = :p", p=traffic.project)]
        read = states.asking([Span(at, one, 10, newest, newest) for at, one in enumerate(ids)], "x")
        self.history(traffic.project, newest, ROWS_BEFORE // AROUND)
        small = self.cost(read)
        self.history(traffic.project, newest, rows // AROUND)
        large = self.cost(read)
        milliseconds = f"{small[0]:.2f} to {large[0]:.2f} ms in the server"
        yield grown("gated read, growth in time", large[0] / small[0], milliseconds)
        yield grown("gated read, growth in buffers", large[1] / small[1], f"{small[1]} to {large[1]}")

    def history(self, project: str, newest: int, minutes: int) -> None:
        self.conn.run(
            """
            INSERT INTO buckets (series, minute, value, critical)
            SELECT s.id, minute, 4, 0
              FROM generate_series(:newest - :minutes, :newest - 1) AS minute, series s
             WHERE s.project_id = :project ON CONFLICT DO NOTHING
            """,
            project=project,
            newest=newest,
            minutes=minutes,
        )
        self.conn.run("VACUUM ANALYZE buckets")

    def cost(self, read: str) -> tuple[float, int]:
        """Milliseconds in the server and buffers touched; the quietest of many."""
        found = []
        for _ in range(25):
            [[[plan]]] = self.conn.simple(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {read}")
            touched = plan["Plan"]["Shared Hit Blocks"] + plan["Plan"]["Shared Read Blocks"]
            found.append((plan["Execution Time"], touched))
        return min(found)


def seconds(work: Callable[[], object]) -> float:
    before = perf_counter()
    work()
    return perf_counter() - before


def grown(what: str, growth: float, note: str) -> Figure:
    return Figure(what=what, value=growth, unit="x", target=GROWTH, most=True, note=note)


def figures(words: Words) -> Iterator[Figure]:
    home = Path(tempfile.mkdtemp(prefix="signals-bench-"))
    home.chmod(0o755)
    server = PostgresServer(home / "servers" / "postgres")
    turns = words.rounds(TURNS, 3)
    try:
        server.start()
        bench = Bench(server)
        yield bench.compare("usual traffic, 50 series", bench.traffic(50), LARGE, 200, turns)
        yield bench.compare("usual traffic, 500 series", bench.traffic(500), LARGE, 100, turns)
        yield bench.compare("every series burning, 50", bench.traffic(50, calm=False), LARGE, 150, turns)
        yield bench.compare("every series burning, 500", bench.traffic(500, calm=False), LARGE, 45, turns)
        yield bench.compare("batches of 100, 50 series", bench.traffic(50, size=SMALL), SMALL, 15, turns)
        yield from bench.growth(words.rounds(ROWS_AFTER, 500_000))
        bench.remember(words.rounds(IDS, 100_000))
        own = bench.traffic(50, minted=False)
        yield bench.compare("own ids, five million kept, 50 series", own, LARGE, 35, turns)
    finally:
        server.stop()
        shutil.rmtree(home, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main("engine", __doc__, figures))
