"""AI jobs: one is claimed under a lease, finished by whoever still holds it, given back when the lease runs out."""

import json
from collections.abc import Callable, Collection
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from common.clients.postgres.connection import Connection

LEASE = timedelta(minutes=2)
AT_ONCE = 500
REMIND = timedelta(minutes=1)
LEASE_RAN_OUT = "the worker's lease ran out: it died, or took too long"


class Job(NamedTuple):
    """A job that is ours until `leased_until`; `attempts` have failed before."""

    id: UUID
    job_type: str
    incident_id: UUID | None
    attempts: int
    most: int
    leased_until: datetime


def claim(conn: Connection, now: datetime, types: Collection[str]) -> Job | None:
    """The most severe of the due jobs, of those the one that waits longest. Others claim other jobs meanwhile."""
    query = """
        UPDATE ai_jobs SET status = 'running', leased_until = :until, updated_at = :now
         WHERE id = (SELECT id FROM ai_jobs
                      WHERE status = 'queued' AND run_after <= :now
                        AND job_type IN (SELECT json_array_elements_text(:types))
                      ORDER BY urgency, run_after LIMIT 1 FOR UPDATE SKIP LOCKED)
        RETURNING id, job_type, incident_id, attempt_count, max_attempts
    """
    until = now + LEASE
    for job, job_type, incident, attempts, most in conn.run(query, now=now, until=until, types=json.dumps([*types])):
        return Job(job, job_type, incident, attempts, most, until)
    return None


# Whoever lost the lease changes nothing: the job was given back, and may be another's.
HELD = "id = :id AND status = 'running' AND leased_until = :lease AND attempt_count = :attempts"


def held(job: Job) -> dict[str, object]:
    """The values HELD compares."""
    return {"id": job.id, "lease": job.leased_until, "attempts": job.attempts}


def remember_prompt(conn: Connection, job: Job, prompt: str, now: datetime) -> bool:
    """What is about to be sent can be read on the job; False if the lease is lost."""
    query = f"UPDATE ai_jobs SET prompt = :prompt, prompt_at = :now WHERE {HELD} RETURNING 1"  # noqa: S608 (our own words)
    return bool(conn.run(query, prompt=prompt, now=now, **held(job)))


def fail(conn: Connection, job: Job, now: datetime, error: str, wait: timedelta | None) -> bool:
    """One more failed attempt: queued for the next try, or failed for good. False if the lease is lost."""
    query = f"""
        UPDATE ai_jobs
           SET status = CASE WHEN :at IS NULL THEN 'failed' ELSE 'queued' END, attempt_count = attempt_count + 1,
               run_after = coalesce(:at, run_after), leased_until = NULL, notified_at = NULL, last_error = :error,
               updated_at = :now
         WHERE {HELD} RETURNING 1
    """  # noqa: S608 (our own words)
    return bool(conn.run(query, at=None if wait is None else now + wait, error=error, now=now, **held(job)))


def postpone(conn: Connection, job: Job, now: datetime, until: datetime, why: str) -> bool:
    """It waits, which is no failed attempt. False if the lease is lost."""
    query = f"""
        UPDATE ai_jobs SET status = 'queued', run_after = :until, leased_until = NULL, notified_at = NULL,
               last_error = :why, updated_at = :now
         WHERE {HELD} RETURNING 1
    """  # noqa: S608 (our own words)
    return bool(conn.run(query, until=until, why=why, now=now, **held(job)))


def expire_leases(conn: Connection, now: datetime, wait_after: Callable[[int, int], timedelta | None]) -> int:
    """A lease that ran out is a failed attempt. A worker that finishes in this moment wins, and its job is skipped."""
    query = """
        SELECT id, attempt_count + 1, max_attempts FROM ai_jobs
         WHERE status = 'running' AND leased_until < :now
         ORDER BY id LIMIT :limit FOR UPDATE SKIP LOCKED
    """
    ended = conn.run(query, now=now, limit=AT_ONCE)
    if ended:
        waits = [(job, attempts, wait_after(attempts, most)) for job, attempts, most in ended]
        rows = [{"id": str(job), "n": attempts, "at": _at(now, wait)} for job, attempts, wait in waits]
        conn.run(FAIL, rows=json.dumps(rows), now=now, error=LEASE_RAN_OUT)
    return len(ended)


FAIL = """
    UPDATE ai_jobs j
       SET status = CASE WHEN r.at IS NULL THEN 'failed' ELSE 'queued' END, attempt_count = r.n, leased_until = NULL,
           run_after = coalesce(r.at, j.run_after), notified_at = NULL, last_error = :error, updated_at = :now
      FROM json_to_recordset(:rows) AS r(id uuid, n int, at timestamptz)
     WHERE j.id = r.id
"""


def remind(conn: Connection, now: datetime) -> list[UUID]:
    """The due jobs nobody was woken for during the last minute; the most severe incidents come first."""
    query = """
        UPDATE ai_jobs SET notified_at = :now
         WHERE id IN (SELECT id FROM ai_jobs
                       WHERE status = 'queued' AND run_after <= :now
                         AND (notified_at IS NULL OR notified_at <= :before)
                       ORDER BY urgency, run_after
                       LIMIT :limit FOR UPDATE SKIP LOCKED)
        RETURNING id
    """
    return [job for [job] in conn.run(query, now=now, before=now - REMIND, limit=AT_ONCE)]


def _at(now: datetime, wait: timedelta | None) -> str | None:
    return None if wait is None else (now + wait).isoformat()
