"""The sweeper on real stores: leases that ran out are failed attempts, and due jobs wake somebody, seldom."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from threading import Thread

import pytest

from common import settings, topics
from common.clients import stream
from common.clients.postgres.connection import Connection
from common.clients.stream import Stream
from schedules import sweep_jobs

NOW = datetime(2026, 5, 1, 12, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
INSERT = """
    INSERT INTO ai_jobs (status, attempt_count, run_after, leased_until)
    VALUES (:status, :attempts, :run_after, :leased_until) RETURNING id::text
"""


@pytest.fixture
def published(monkeypatch: pytest.MonkeyPatch, database_url: str) -> Iterator[Stream]:
    """The schedule as it is deployed, on this test's database; its notifications can be read here."""
    ours = settings.read({"DATABASE_URL": database_url})
    mine = stream.stream_for(ours)
    monkeypatch.setattr(settings, "current", lambda: ours)
    monkeypatch.setattr(stream, "shared", lambda: mine)
    yield mine
    mine.close()
    sweep_jobs.database.close()


def job(conn: Connection, status: str = "queued", attempts: int = 0, leased_until: datetime | None = None) -> str:
    values = {"status": status, "attempts": attempts, "run_after": NOW - MINUTE, "leased_until": leased_until}
    [[made]] = conn.run(INSERT, **values)
    return str(made)


def state(conn: Connection, job: str) -> list[object]:
    [row] = conn.run("SELECT status, attempt_count, leased_until, last_error FROM ai_jobs WHERE id = :id::uuid", id=job)
    return list(row)


def notices(published: Stream) -> list[str]:
    reader = published.reader(topics.AI_JOBS, "test")
    found: list[str] = []
    while batch := reader.read(100, 1_000_000, 1.5):
        found += [json.loads(record.value or b"")["job_id"] for record in batch]
    reader.close()
    return found


def test_a_lease_that_ran_out_is_a_failed_attempt(conn: Connection, published: Stream) -> None:
    first, last = job(conn, "running", 0, NOW - MINUTE), job(conn, "running", 2, NOW - MINUTE)
    alive = job(conn, "running", 0, NOW + MINUTE)
    assert sweep_jobs.run(NOW) == 2
    assert state(conn, first) == ["queued", 1, None, "the worker's lease ran out: it died, or took too long"]
    assert state(conn, last)[:3] == ["failed", 3, None]
    assert state(conn, alive)[0] == "running"
    [[wait]] = conn.run("SELECT run_after - :now FROM ai_jobs WHERE id = :id::uuid", now=NOW, id=first)
    assert timedelta(seconds=2.5) <= wait <= timedelta(seconds=5)


def test_a_due_job_wakes_somebody_at_most_once_a_minute(conn: Connection, published: Stream) -> None:
    due = job(conn)
    ticks = [sweep_jobs.run(NOW + timedelta(seconds=second)) for second in (0, 1, 59, 60, 61)]
    assert ticks == [1, 0, 0, 1, 0]
    assert notices(published) == [due, due]


def test_a_job_that_waits_for_its_next_try_wakes_nobody(conn: Connection, published: Stream) -> None:
    job(conn)
    assert sweep_jobs.run(NOW - 2 * MINUTE) == 0


def test_two_sweepers_at_once_count_an_attempt_once(conn: Connection, published: Stream) -> None:
    jobs = [job(conn, "running", 0, NOW - MINUTE) for _ in range(20)]
    threads = [Thread(target=sweep_jobs.run, args=(NOW,)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {state(conn, one)[1] for one in jobs} == {1}
