"""AI jobs as people read them, and the two things they may do: ask for a summary, and try a failed job again."""

from datetime import datetime, timedelta
from typing import NamedTuple

import msgspec

from common.clients.postgres.connection import Connection
from common.clients.postgres.paging import UUID, Page, ask, one, page, read
from common.clients.postgres.rows import SERIES_TIME

DAY = timedelta(days=1)

SHOWN = """
    j.id, j.incident_id, i.title AS incident_title, i.project_id, i.environment, j.job_type, j.status, j.attempt_count,
    j.max_attempts, utc(j.run_after) AS run_after, utc(j.leased_until) AS leased_until, j.last_error,
    utc(j.created_at) AS created_at, utc(j.updated_at) AS updated_at"""
LIST = f"""
    SELECT microseconds(j.created_at), j.id::text, (SELECT row_to_json(shown)::text FROM (SELECT {SHOWN}) shown)
      FROM ai_jobs j JOIN incidents i ON i.id = j.incident_id
     WHERE j.org_id = :org
       AND (:project::text IS NULL OR i.project_id = :project)
       AND (:environment::text IS NULL OR i.environment = :environment)
       AND (:status::text IS NULL OR j.status = :status)
       AND (:other_than::text IS NULL OR j.status <> :other_than)
       AND (:incident::uuid IS NULL OR j.incident_id = :incident::uuid)
       AND (:at::timestamptz IS NULL OR (j.created_at, j.id) < (:at, :id::uuid))
     ORDER BY j.created_at DESC, j.id DESC LIMIT :limit
"""  # noqa: S608 (column names)
ONE = f"""
    SELECT row_to_json(shown)::text
      FROM (SELECT {SHOWN} FROM ai_jobs j JOIN incidents i ON i.id = j.incident_id
             WHERE j.org_id = :org AND j.id = :id) shown
"""  # noqa: S608

NOW = """
    SELECT count(*) FILTER (WHERE status = 'queued'), count(*) FILTER (WHERE status = 'running'),
           utc(min(run_after) FILTER (WHERE status = 'queued' AND run_after <= :now))
      FROM ai_jobs WHERE org_id = :org AND status IN ('queued', 'running')
"""
EVERYWHERE = """
    SELECT count(*) FILTER (WHERE status = 'queued'), count(*) FILTER (WHERE status = 'running'),
           coalesce(extract(epoch FROM :now - min(run_after) FILTER (WHERE status = 'queued' AND run_after <= :now)), 0)
      FROM ai_jobs WHERE status IN ('queued', 'running')
"""
ENDED = """
    SELECT floor(extract(epoch FROM updated_at - :since::timestamptz) / 3600)::int, status, count(*)
      FROM ai_jobs
     WHERE org_id = :org AND status IN ('succeeded', 'failed') AND updated_at >= :since AND updated_at <= :now
     GROUP BY 1, 2
"""
SPEED = """
    SELECT percentile_cont(ARRAY[0.5, 0.95]) WITHIN GROUP (ORDER BY extract(epoch FROM updated_at - created_at))
      FROM ai_jobs WHERE org_id = :org AND status = 'succeeded' AND updated_at >= :since AND updated_at <= :now
"""

# One question for the page of the jobs.
LAST_DAY = """
    SELECT (SELECT count(*) FROM ai_jobs WHERE org_id = :org AND status = 'queued'),
           (SELECT count(*) FROM ai_jobs WHERE org_id = :org AND status = 'running'),
           count(*) FILTER (WHERE j.status = 'succeeded'), count(*) FILTER (WHERE j.status = 'failed'),
           percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM j.updated_at - j.created_at))
               FILTER (WHERE j.status = 'succeeded'),
           coalesce(sum(o.evidence_held), 0), coalesce(sum(o.evidence_given - o.evidence_held), 0)
      FROM ai_jobs j
      LEFT JOIN ai_outputs o ON o.job_id = j.id AND o.model <> 'plain'
     WHERE j.org_id = :org AND j.status IN ('succeeded', 'failed') AND j.updated_at >= :since AND j.updated_at <= :now
"""

CHANGED = "SELECT utc(max(updated_at)) FROM ai_jobs WHERE org_id = :org"


class Standing(NamedTuple):
    """Jobs that wait and run now, and since when the one that waits longest has been due."""

    queued: int
    running: int
    oldest_due_at: str | None


class Waiting(NamedTuple):
    """The same of all organisations, and for how many seconds that one has been due."""

    queued: int
    running: int
    oldest_seconds: float


class Narrowing(NamedTuple):
    project: str | None = None
    environment: str | None = None
    status: str | None = None
    incident: str | None = None
    other_than: str | None = None  # not in this state


class Day(NamedTuple):
    """Jobs that wait and run now, and what became of those that ended in the last 24 hours."""

    queued: int
    running: int
    succeeded: int
    failed: int
    median_seconds: float | None  # from the opening of an incident to its summary
    verified: int  # statements
    left_out: int


def found(conn: Connection, org: str, narrowing: Narrowing, limit: int, cursor: str | None) -> Page:
    """Newest first."""
    key = read(cursor, UUID)
    return page(conn, LIST, limit, org=org, at=key.at, id=key.id, **narrowing._asdict())


def job(conn: Connection, org: str, job_id: str) -> msgspec.Raw | None:
    return one(ask(conn, ONE, org=org, id=job_id))


def standing(conn: Connection, org: str, now: datetime) -> Standing:
    [row] = ask(conn, NOW, org=org, now=now)
    return Standing(*row)


def everywhere(conn: Connection, now: datetime) -> Waiting:
    [[queued, running, seconds]] = ask(conn, EVERYWHERE, now=now)
    return Waiting(queued, running, float(seconds))


def ended(conn: Connection, org: str, now: datetime) -> dict[tuple[int, str], int]:
    """Of each of the last 24 hours, the first being 0, how many jobs succeeded and how many failed for good."""
    rows = ask(conn, ENDED, org=org, now=now, since=now - DAY)
    return {(min(int(hour), 23), status): int(count) for hour, status, count in rows}


def last_day(conn: Connection, org: str, now: datetime) -> Day:
    [row] = ask(conn, LAST_DAY, org=org, now=now, since=now - DAY)
    queued, running, succeeded, failed, median, verified, left_out = row
    seconds = float(median) if median is not None else None
    return Day(queued, running, succeeded, failed, seconds, int(verified), int(left_out))


def changed_at(conn: Connection, org: str) -> str | None:
    """When a job of theirs last became something else."""
    [[at]] = ask(conn, CHANGED, org=org)
    return str(at) if at else None


def seconds(conn: Connection, org: str, now: datetime) -> list[float] | None:
    """From the opening of an incident to its summary, in the last 24 hours: median and 95th percentile."""
    [[found]] = ask(conn, SPEED, org=org, now=now, since=now - DAY)
    return [float(value) for value in found] if found else None


def summarize(conn: Connection, org: str, incident: str, who: str, now: datetime) -> str | None:
    """A job for this incident: the one that waits or runs, else a new one. None if the incident is not theirs."""
    with conn.transaction():
        theirs = "SELECT 1 FROM incidents WHERE org_id = :org AND id = :id FOR NO KEY UPDATE"
        if not conn.run(theirs, org=org, id=incident):
            return None
        waiting = conn.run(
            "SELECT id::text FROM ai_jobs WHERE incident_id = :id AND job_type = 'incident_summary' "
            "AND status IN ('queued', 'running') LIMIT 1",
            id=incident,
        )
        new = "INSERT INTO ai_jobs (incident_id, run_after, created_at, updated_at) VALUES (:id, :now, :now, :now) "
        [[job_id]] = waiting or conn.run(new + "RETURNING id::text", id=incident, now=now)
        if not waiting:
            _note(conn, incident, who, now)
    return str(job_id)


def retry(conn: Connection, org: str, job_id: str, who: str, now: datetime) -> bool:
    """A failed job is queued again with all its attempts; False if it is not failed."""
    query = """
        UPDATE ai_jobs SET status = 'queued', attempt_count = 0, run_after = :now, notified_at = NULL, updated_at = :now
         WHERE org_id = :org AND id = :id AND status = 'failed' RETURNING incident_id::text
    """
    with conn.transaction():
        again = conn.run(query, org=org, id=job_id, now=now)
        for [incident] in again:
            _note(conn, incident, who, now)
    return bool(again)


def _note(conn: Connection, incident: str, who: str, now: datetime) -> None:
    """Who asked for it stands in the timeline, at series time as all that people do."""
    query = f"""
        INSERT INTO incident_timeline (incident_id, at, who, what)
        SELECT i.id, minute_start(minute_of({SERIES_TIME})), :who, 'summary_asked'
          FROM incidents i JOIN series s ON s.id = i.series WHERE i.id = :id
    """  # noqa: S608 (our own words)
    conn.run(query, id=incident, who=who, now=now)
