"""Pruning on a real Postgres: what goes, what stays, and that a second run at the same time harms nothing."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta

import pytest

from common import settings
from common.clients.postgres import partitions, pruning
from common.clients.postgres.connection import Connection
from common.clients.postgres.database import Database
from common.errors import Unavailable
from schedules import prune

NOW = datetime.now(UTC)
TODAY = NOW.date()
SETUP = """
    INSERT INTO orgs (id, name) VALUES ('o', 'O');
    INSERT INTO projects (id, org_id, name) VALUES ('p', 'o', 'P');
    INSERT INTO series (id, org_id, project_id, environment, metric_name, fingerprint, calm_from, calm_to, calm_base)
        SELECT gen_random_uuid(), 'o', 'p', 'prod', 'error_count', f, 1, 2, 3
          FROM unnest(ARRAY['burning', 'calm', 'new']) f;
    INSERT INTO incidents (id, series, org_id, project_id, environment, fingerprint, rule, status, prior_status,
            severity, title, opened_at, last_seen_at, window_minutes, observed, baseline, peak, event_count)
        SELECT gen_random_uuid(), id, 'o', 'p', 'prod', fingerprint, 'error_spike', 'open', 'open', 'error', 't', now(),
               now(), 5, 30, 0, 30, 30 FROM series WHERE fingerprint = 'burning';
    INSERT INTO buckets (series, minute, value, critical, updated_at)
        SELECT id, m, 1, 0, now() - CASE fingerprint WHEN 'new' THEN interval '1 day' ELSE interval '100 days' END
          FROM series, generate_series(1, 7000) m;
"""


@pytest.fixture
def whole(monkeypatch: pytest.MonkeyPatch, database_url: str) -> Iterator[None]:
    """The schedule as it is deployed, on this test's database."""
    monkeypatch.setattr(settings, "current", lambda: settings.read({"DATABASE_URL": database_url}))
    yield
    prune.database.close()


def minutes(conn: Connection) -> dict[str, int]:
    query = "SELECT fingerprint, count(minute) FROM series LEFT JOIN buckets ON series = id GROUP BY fingerprint"
    return {row[0]: row[1] for row in conn.run(query)}


def test_old_minutes_go_in_batches_and_those_of_an_open_incident_stay(conn: Connection) -> None:
    conn.simple(SETUP)
    before = NOW - timedelta(days=90)
    assert [pruning.buckets(conn, before) for _ in range(3)] == [5000, 2000, 0]
    assert minutes(conn) == {"burning": 7000, "calm": 0, "new": 7000}


def test_a_series_that_loses_minutes_forgets_its_calm(conn: Connection) -> None:
    conn.simple(SETUP)
    pruning.buckets(conn, NOW - timedelta(days=90))
    rows = conn.run("SELECT fingerprint, calm_base FROM series ORDER BY 1")
    assert rows == [["burning", 3], ["calm", None], ["new", 3]]


def test_a_series_somebody_works_on_is_left_for_the_next_batch(conn: Connection, database: settings.Postgres) -> None:
    conn.simple(SETUP)
    engine = Connection(database)
    with engine.transaction():
        engine.run("SELECT FROM series WHERE fingerprint = 'calm' FOR NO KEY UPDATE")
        assert pruning.buckets(conn, NOW - timedelta(days=90)) == 0
    engine.close()
    assert pruning.buckets(conn, NOW - timedelta(days=90)) == 5000


def test_old_minutes_are_found_without_reading_the_others(conn: Connection) -> None:
    conn.simple(SETUP)
    conn.run("ANALYZE buckets")
    with conn.transaction():
        conn.run("SET LOCAL enable_seqscan = off")
        plan = str(conn.run("EXPLAIN SELECT FROM buckets WHERE updated_at < now() - interval '99 days'"))
    assert "updated_at_idx" in plan


def test_days_past_their_time_go_and_days_to_come_are_made(conn: Connection) -> None:
    conn.run("SELECT 1")
    partitions.make(conn, "activity", partitions.DAY, TODAY - timedelta(days=92), TODAY - timedelta(days=88))
    assert pruning.activity(conn, TODAY, timedelta(days=90)) == 2
    first_days = [one.first for one in partitions.existing(conn, "activity")]
    assert min(first_days) == TODAY - timedelta(days=90)
    assert max(first_days) >= TODAY + timedelta(days=14)


def test_an_id_is_remembered_for_at_least_the_time_promised(conn: Connection) -> None:
    monday = date(2026, 3, 2)
    partitions.make(conn, "remembered_ids", partitions.WEEK, monday, monday)
    week = timedelta(days=7)
    pruning.remembered_ids(conn, monday + timedelta(days=13), week)
    assert monday in [one.first for one in partitions.existing(conn, "remembered_ids")]
    pruning.remembered_ids(conn, monday + timedelta(days=14), week)
    assert monday not in [one.first for one in partitions.existing(conn, "remembered_ids")]


@pytest.mark.usefixtures("whole")
def test_the_whole_schedule_does_everything_once(conn: Connection) -> None:
    conn.simple(SETUP)
    assert prune.run(NOW) == 7000
    assert prune.run(NOW) == 0


@pytest.mark.usefixtures("whole")
def test_two_at_once_harm_nothing(conn: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each on connections of its own, as in two processes."""
    conn.simple(SETUP)
    monkeypatch.setattr(prune, "database", Database(2))
    with ThreadPoolExecutor(2) as pool:
        runs = [pool.submit(prune.run, NOW + timedelta(days=40)) for _ in range(2)]
    failed = [run.exception() for run in runs if run.exception()]
    assert all(isinstance(one, Unavailable) for one in failed), failed  # what the next run does
    prune.run(NOW + timedelta(days=40))
    assert minutes(conn)["calm"] == 0
