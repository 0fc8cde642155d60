"""AI jobs whose time has come: leases that ran out, and jobs somebody should be woken for."""

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import UUID

from common.clients.postgres.connection import Connection

AT_ONCE = 500
REMIND = timedelta(minutes=1)
LEASE_RAN_OUT = "the worker's lease ran out: it died, or took too long"


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
         WHERE id IN (SELECT j.id FROM ai_jobs j LEFT JOIN incidents i ON i.id = j.incident_id
                       WHERE j.status = 'queued' AND j.run_after <= :now
                         AND (j.notified_at IS NULL OR j.notified_at <= :before)
                       ORDER BY array_position(ARRAY['critical', 'error', 'warn'], i.severity), j.run_after
                       LIMIT :limit FOR UPDATE OF j SKIP LOCKED)
        RETURNING id
    """
    return [job for [job] in conn.run(query, now=now, before=now - REMIND, limit=AT_ONCE)]


def _at(now: datetime, wait: timedelta | None) -> str | None:
    return None if wait is None else (now + wait).isoformat()
