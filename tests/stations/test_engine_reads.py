"""What the engine reads, as the database counts it: few rows of a series, none of raw events, whatever the history."""

import time
from collections.abc import Iterator

import pytest

from common import settings
from common.clients.ids import new_id
from common.clients.postgres.connection import Connection
from common.clients.postgres.database import Database
from functions.incident_engine.engine import Engine
from tests.cases import Step
from tests.counting import BASE, Desk, Log

HISTORY, OTHERS = 20_000, 3_000
READ = "SELECT relname, coalesce(seq_tup_read, 0)::int, coalesce(idx_tup_fetch, 0)::int FROM pg_stat_user_tables"
INDEXED = "SELECT sum(idx_tup_read)::int FROM pg_stat_user_indexes WHERE relname = 'buckets'"
RAW = ("stream_log", "events")


@pytest.fixture
def desk(database: settings.Postgres) -> Iterator[Desk]:
    made = Desk(Database(1, lambda: database), Log(), "error")
    yield made
    made.close()


def read_of(desk: Desk, conn: Connection, database: settings.Postgres, steps: list[Step]) -> dict[str, int]:
    """Rows read of each table by one batch: a connection that has gone, or is told to, has handed in its counts."""
    desk.close()
    alone(conn)
    conn.run("SELECT pg_stat_force_next_flush()")
    before = counts(conn)
    own = Database(1, lambda: database, check_schema=False)
    engine = Engine(own, lambda: desk.log, new_id)
    engine._known = desk.engine._known
    engine.handle(desk.records(steps))
    own.close()
    alone(conn)
    after = counts(conn)
    return {name: after[name] - before[name] for name in after if after[name] > before[name]}


def alone(conn: Connection) -> None:
    others = "SELECT FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    while conn.run(f"SELECT count(*) FROM ({others} AND backend_type = 'client backend') AS others") != [[0]]:
        time.sleep(0.01)


def counts(conn: Connection) -> dict[str, int]:
    found: dict[str, int] = {}
    for name, sequential, fetched in conn.run(READ):
        found[name] = found.get(name, 0) + sequential + fetched
    [[found["rows of buckets by its index"]]] = conn.run(INDEXED)
    return found


def age(conn: Connection, minutes: int, each: int = 5) -> None:
    """A history behind every series, and many other series and incidents beside them."""
    conn.run(
        """
        INSERT INTO buckets (series, minute, value, critical)
        SELECT id, newest - back, :each, 0 FROM series, generate_series(1, :minutes) AS back
         WHERE newest IS NOT NULL ON CONFLICT DO NOTHING;
        INSERT INTO series (id, org_id, project_id, environment, metric_name, fingerprint, newest)
        SELECT md5(n::text)::uuid, 'acme', 'shop', 'dev', 'error_count', n::text, 1
          FROM generate_series(1, :others) AS n;
        INSERT INTO incidents (id, series, org_id, project_id, environment, fingerprint, rule, status, prior_status,
               severity, title, opened_at, last_seen_at, resolved_at, window_minutes, observed, baseline, peak,
               event_count)
        SELECT md5('i' || n)::uuid, md5(n::text)::uuid, 'acme', 'shop', 'dev', n::text, 'error_spike', 'resolved',
               'open', 'error', 't', now(), now(), now(), 5, 30, 0, 30, 30
          FROM generate_series(1, :others) AS n
        """,
        minutes=minutes,
        each=each,
        others=OTHERS,
    )
    conn.run("ANALYZE")


@pytest.mark.parametrize(
    ("flow", "batch", "most"),
    [
        ([Step("event", 0)] * 3, [Step("event", 0)] * 3, 10),  # nothing can hold: five minutes are added up
        ([Step("event", 0)] * 3, [Step("event", 0)] * 200, 75),  # a spike
        ([Step("event", 0)] * 200, [Step("event", 0)] * 200, 75),  # in an incident
        ([Step("event", 0)] * 3, [Step("event", -60)] * 200, 75 + 60),  # late
    ],
    ids=["calm", "spike", "burning", "late"],
)
def test_few_rows_of_a_series_are_read_and_none_of_raw_events(
    desk: Desk, conn: Connection, database: settings.Postgres, flow: list[Step], batch: list[Step], most: int
) -> None:
    desk.send(flow)
    age(conn, HISTORY)
    read = read_of(desk, conn, database, batch)
    assert 0 < read["rows of buckets by its index"] <= most
    assert read["buckets"] <= most
    assert not {name for name in read if name.startswith(RAW)}
    assert read.get("series", 0) <= 6
    assert read.get("incidents", 0) <= 60  # each event it keeps looks its incident up


def test_a_drop_is_judged_from_75_rows(conn: Connection, database: settings.Postgres) -> None:
    desk = Desk(Database(1, lambda: database), Log(), "signup")
    desk.send([Step("event", 0)])
    age(conn, HISTORY)
    read = read_of(desk, conn, database, [Step("event", 1)])
    assert 0 < read["rows of buckets by its index"] <= 76  # and the one that is written
    desk.close()


def test_most_batches_of_usual_traffic_add_up_five_minutes_and_no_hour(
    desk: Desk, conn: Connection, database: settings.Postgres
) -> None:
    """The floor of the usual is kept for ten minutes; only who passes it looks at the hour again."""
    desk.send([Step("event", 0)])
    age(conn, 100, each=40)
    first, second = [Step("event", 1)] * 40, [Step("event", 2)] * 40
    assert 60 < read_of(desk, conn, database, first)["rows of buckets by its index"] <= 75
    floor = desk.rows(f"SELECT calm_from - {BASE}, calm_to - {BASE}, calm_base FROM series WHERE calm_base > 0")
    assert floor == [[1, 11, 50 * 40]]
    assert read_of(desk, conn, database, second)["rows of buckets by its index"] <= 10
