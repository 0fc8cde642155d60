"""One incident as its page shows it: one statement, every part of it bounded."""

from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from common.clients.postgres.connection import Connection
from common.clients.postgres.incidents import entries
from common.clients.postgres.paging import ask
from common.clients.postgres.rows import COLUMNS, NEWEST, RANK, SERIES_TIME, Asked, Row, parameters
from common.detection.rules import Rule
from common.incidents.incident import Severity, Status
from common.incidents.timeline import What

BEFORE, AFTER = 70, 15  # minutes around it that the plot shows
LONGEST = 3 * 24 * 60  # minutes of a plot: of a longer incident the newest
ENTRIES = 100  # of the timeline
NEAR_DEPLOYS, NEAR_INCIDENTS = 60, 30  # minutes


class Deploy(msgspec.Struct, frozen=True):
    event_id: UUID
    at: datetime
    release: str | None
    service: str | None
    message: str


class Neighbour(msgspec.Struct, frozen=True):
    id: str
    rule: Rule
    title: str
    status: Status
    severity: Severity
    opened_at: datetime


class Event(msgspec.Struct, frozen=True):
    event_id: UUID
    at: datetime
    severity: str
    message: str
    status: Any
    release: Any


class Entry(msgspec.Struct, frozen=True):
    at: datetime
    done_at: datetime
    who: str
    what: What
    why: str
    numbers: dict[str, float] | None


class Job(msgspec.Struct, frozen=True):
    id: str
    status: str
    attempt_count: int
    max_attempts: int
    run_after: datetime
    last_error: str | None
    updated_at: datetime


class Before(msgspec.Struct, frozen=True):
    """The incidents of the same series in the thirty days before, and the last of all."""

    count: int
    id: str | None
    opened_at: datetime | None


class Whole(Row, frozen=True, kw_only=True):
    first: int  # of the plot
    until: int
    begins: int | None  # the first minute of its series that is kept
    releases: list[Deploy]
    neighbours: list[Neighbour]
    events: list[Event]  # the first two and the newest three of those that are kept
    kept: int
    timeline: list[Entry]  # the newest, and the one that opened it; newest first
    entries: int  # of the timeline, in all
    job: Job | None
    before: Before
    people: list[str]
    previous: str | None  # of the list it stands in: those that are not resolved, or those that are
    next: str | None


# Eighty minutes are read before the first that is drawn: so far looks a rule back, and the usual a little further.
# OFFSET 0 keeps a lateral from being written out again wherever it is used: planning took longer than reading.
ONE = f"""
    WITH ranked AS (
        SELECT id, lag(id) OVER list AS previous, lead(id) OVER list AS next
          FROM incidents i WHERE i.org_id = :org AND i.status <> 'resolved'
        WINDOW list AS (ORDER BY {RANK}, i.last_seen_at DESC, i.id DESC))
    SELECT row_to_json(shown)::text FROM (
        SELECT {COLUMNS}, n.newest, span.first, span.until,
               (SELECT min(minute) FROM buckets WHERE series = i.series) AS begins,
               (SELECT ('[' || coalesce(string_agg(b.minute || ',' || b.value, ','), '') || ']')::json
                  FROM buckets b
                 WHERE b.series = i.series
                   AND b.minute BETWEEN span.first - 80 AND greatest(span.until, n.newest)) AS minutes,
               (SELECT coalesce(json_agg(d), '[]') FROM (
                    SELECT event_id, utc(occurred_at) AS at, release, service, message FROM deploys
                     WHERE project_id = i.project_id AND environment = i.environment
                       AND occurred_at >= minute_start(span.first) AND occurred_at < minute_start(span.until)
                     ORDER BY occurred_at DESC LIMIT 30) d) AS releases,
               (SELECT coalesce(json_agg(o), '[]') FROM (
                    SELECT id, rule, title, status, severity, utc(opened_at) AS opened_at FROM incidents
                     WHERE org_id = i.org_id AND project_id = i.project_id AND id <> i.id
                       AND opened_at BETWEEN i.opened_at - interval '{NEAR_INCIDENTS} minutes'
                                         AND i.opened_at + interval '{NEAR_INCIDENTS} minutes'
                     ORDER BY incidents.opened_at DESC, id LIMIT 5) o) AS neighbours,
               e.events, e.kept,
               (SELECT coalesce(json_agg(t), '[]') FROM (
                    SELECT utc(at) AS at, utc(done_at) AS done_at, who, what, why, numbers FROM incident_timeline
                     WHERE id IN ({entries(ENTRIES)}) ORDER BY id DESC) t) AS timeline,
               (SELECT count(*) FROM incident_timeline WHERE incident_id = i.id) AS entries,
               (SELECT row_to_json(j) FROM (
                    SELECT id, status, attempt_count, max_attempts, utc(run_after) AS run_after, last_error,
                           utc(updated_at) AS updated_at
                      FROM ai_jobs WHERE incident_id = i.id ORDER BY created_at DESC LIMIT 1) j) AS job,
               (SELECT json_build_object(
                    'count', (SELECT count(*) FROM (
                                  SELECT 1 FROM incidents o WHERE o.series = i.series AND o.opened_at < i.opened_at
                                     AND o.opened_at >= i.opened_at - interval '30 days' LIMIT 100) o),
                    'id', i.recurrence_of,
                    'opened_at', (SELECT utc(opened_at) FROM incidents WHERE id = i.recurrence_of))) AS before,
               (SELECT coalesce(json_agg(name ORDER BY name), '[]') FROM (
                    SELECT DISTINCT name FROM access_tokens
                     WHERE org_id = i.org_id AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > :now)
                     LIMIT 200) p) AS people,
               beside.previous, beside.next
          FROM incidents i JOIN series s ON s.id = i.series
         CROSS JOIN LATERAL (SELECT {NEWEST} AS newest OFFSET 0) n
         CROSS JOIN LATERAL (  -- up to series time, or a little after it was resolved
               SELECT minute_of({SERIES_TIME}) AS minute
               OFFSET 0) t
         CROSS JOIN LATERAL (
               SELECT greatest(least(t.minute, minute_of(i.resolved_at) + {AFTER}), minute_of(i.opened_at) + 1)
                      AS until OFFSET 0) u
         CROSS JOIN LATERAL (
               SELECT greatest(minute_of(i.opened_at) - {BEFORE}, u.until - {LONGEST}) AS first, u.until OFFSET 0) span
         CROSS JOIN LATERAL (
               SELECT coalesce(json_agg(json_build_object(
                          'event_id', event_id, 'at', utc(occurred_at), 'severity', severity, 'message', message,
                          'status', attributes_json -> 'status_code', 'release', attributes_json -> 'release')
                          ORDER BY place) FILTER (WHERE place <= 2 OR place > total - 3), '[]') AS events,
                      count(*) AS kept
                 FROM (SELECT *, row_number() OVER (ORDER BY occurred_at, id) AS place, count(*) OVER () AS total
                         FROM incident_events WHERE incident_id = i.id) kept) e
         CROSS JOIN LATERAL (  -- as the list has them; of what is resolved only the two beside it are read
               SELECT coalesce((SELECT previous FROM ranked WHERE id = i.id),
                               (SELECT id FROM incidents r
                                 WHERE i.status = 'resolved' AND r.org_id = i.org_id AND r.status = 'resolved'
                                   AND (r.resolved_at, r.id) > (i.resolved_at, i.id)
                                 ORDER BY r.resolved_at, r.id LIMIT 1)) AS previous,
                      coalesce((SELECT next FROM ranked WHERE id = i.id),
                               (SELECT id FROM incidents r
                                 WHERE i.status = 'resolved' AND r.org_id = i.org_id AND r.status = 'resolved'
                                   AND (r.resolved_at, r.id) < (i.resolved_at, i.id)
                                 ORDER BY r.resolved_at DESC, r.id DESC LIMIT 1)) AS next) beside
         WHERE i.org_id = :org AND i.id = :incident) shown
"""  # noqa: S608 (our own words)

# What changes of it, in few rows: the incident, its timeline, its jobs, the newest deploy.
VERSION = """
    SELECT md5(concat_ws('|', i.*, (SELECT max(id) FROM incident_timeline WHERE incident_id = i.id),
                         (SELECT max(updated_at) FROM ai_jobs WHERE incident_id = i.id),
                         (SELECT max(created_at) FROM ai_outputs WHERE incident_id = i.id),
                         (SELECT max(occurred_at) FROM deploys WHERE project_id = i.project_id), s.newest))
      FROM incidents i JOIN series s ON s.id = i.series WHERE i.org_id = :org AND i.id = :incident
"""


def version(conn: Connection, org: str, incident: str) -> str | None:
    """None: there is no such incident, or it is somebody else's."""
    rows = ask(conn, VERSION, org=org, incident=incident)
    return str(rows[0][0]) if rows else None


def one(conn: Connection, asked: Asked, incident: str) -> Whole | None:
    rows = ask(conn, ONE, **parameters(asked), incident=incident)
    return msgspec.json.decode(rows[0][0], type=Whole) if rows else None


class LastAct(msgspec.Struct, frozen=True):
    """The newest change of its state."""

    who: str
    what: What
    done_at: datetime


def last_act(conn: Connection, org: str, incident: str) -> LastAct | None:
    query = """
        SELECT t.who, t.what, t.done_at FROM incident_timeline t JOIN incidents i ON i.id = t.incident_id
         WHERE i.org_id = :org AND i.id = :incident
           AND t.what IN ('acknowledged', 'unacknowledged', 'resolved', 'reopened', 'restored')
         ORDER BY t.id DESC LIMIT 1
    """
    rows = ask(conn, query, org=org, incident=incident)
    return LastAct(*rows[0]) if rows else None


def assignee(conn: Connection, org: str, incident: str) -> str | None:
    """The name of who has it; None: nobody."""
    rows = ask(conn, "SELECT assignee FROM incidents WHERE org_id = :org AND id = :id", org=org, id=incident)
    return rows[0][0] if rows else None
