"""The queue of AI jobs: each is done once, by whoever holds its lease, the most severe first."""

import threading
from collections import Counter
from datetime import timedelta
from uuid import UUID

import pytest

from common import settings
from common.clients.postgres import jobs
from common.clients.postgres.connection import Connection
from schedules.sweep_jobs import wait_after
from tests.ai import state
from tests.incident import NOW, incident, job

TYPES = ("incident_summary",)
SECOND = timedelta(seconds=1)


def claim(conn: Connection, later: timedelta = timedelta()) -> jobs.Job | None:
    return jobs.claim(conn, NOW + later, TYPES)


def test_a_claimed_job_is_nobody_elses_until_its_lease_runs_out(conn: Connection) -> None:
    made = job(conn, None)
    held = claim(conn)
    assert held
    assert (held.id, held.attempts, held.leased_until) == (made, 0, NOW + timedelta(minutes=2))
    assert claim(conn) is None
    assert state(conn, made) == ("running", 0, "")


def test_a_worker_that_lost_its_lease_changes_nothing(conn: Connection) -> None:
    made = job(conn, None)
    slow = claim(conn)
    after = jobs.LEASE + SECOND
    jobs.expire_leases(conn, NOW + after, wait_after)
    quick = claim(conn, after + timedelta(seconds=6))
    assert slow
    assert quick
    assert quick.id == slow.id
    before = conn.run("SELECT ai_jobs::text FROM ai_jobs")
    assert not jobs.fail(conn, slow, NOW + after, "late", None)
    assert not jobs.postpone(conn, slow, NOW + after, NOW, "late")
    assert not jobs.remember_prompt(conn, slow, "late", NOW)
    assert conn.run("SELECT ai_jobs::text FROM ai_jobs") == before
    assert jobs.fail(conn, quick, NOW + after, "quick", None)
    assert state(conn, made) == ("failed", 2, "quick")


def test_who_finishes_before_anybody_gave_the_job_back_still_holds_it(conn: Connection) -> None:
    made = job(conn, None)
    held = claim(conn)
    assert held
    assert jobs.fail(conn, held, NOW + jobs.LEASE + SECOND, "slow, but in time", SECOND)
    assert state(conn, made)[0] == "queued"


def test_the_most_severe_are_called_first_and_of_those_the_oldest(conn: Connection) -> None:
    made = [
        job(conn, incident(conn, severity=severity), NOW - timedelta(seconds=age))
        for severity, age in (("warn", 9), ("error", 5), ("critical", 1), ("error", 7), ("critical", 3))
    ]
    found = [claim(conn) for _ in made]
    assert [one.id for one in found if one] == [made[at] for at in (4, 2, 3, 1, 0)]


def test_urgency_follows_an_incident_that_worsens(conn: Connection) -> None:
    job(conn, incident(conn, severity="error"))
    worse = incident(conn, severity="warn")
    made = job(conn, worse)
    conn.run("UPDATE incidents SET severity = 'critical' WHERE id = :id", id=worse)
    found = claim(conn)
    assert found
    assert found.id == made


@pytest.mark.parametrize("seconds", [1, 86_400])
def test_a_job_that_is_not_due_is_left_alone(conn: Connection, seconds: int) -> None:
    job(conn, None, NOW + timedelta(seconds=seconds))
    assert claim(conn) is None


def test_a_type_this_release_does_not_know_waits_for_one_that_does(conn: Connection) -> None:
    conn.run("INSERT INTO ai_jobs (job_type, run_after) VALUES ('postmortem', :at)", at=NOW - SECOND)
    assert claim(conn) is None
    assert jobs.claim(conn, NOW, (*TYPES, "postmortem"))


@pytest.mark.parametrize("workers", [2, 20])
def test_each_job_is_done_once_by_however_many(conn: Connection, database: settings.Postgres, workers: int) -> None:
    made = [job(conn, None) for _ in range(100)]
    done: list[UUID] = []

    def work() -> None:
        mine = Connection(database)
        while held := claim(mine):
            assert jobs.fail(mine, held, NOW, "done", None)
            done.append(held.id)
        mine.close()

    threads = [threading.Thread(target=work) for _ in range(workers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert Counter(done) == Counter(made)
