"""Incidents as the rows of a list show them: each with the minutes, deploys and times that its sparkline needs."""

import re
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import msgspec

from common.clients.postgres.connection import Connection
from common.clients.postgres.counted import Counted
from common.clients.postgres.paging import MICROSECONDS, UUID, ask
from common.detection.rules import MINUTES, Rule
from common.errors import Problem
from common.incidents.clock import minute_of
from common.incidents.incident import Incident, Severity, Status

BARS, BEFORE = 60, 22  # of a sparkline: the last hour, or from 22 minutes before a resolved one opened


class Deployed(msgspec.Struct, frozen=True):
    at: datetime


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """`newest` is the newest whole minute that is counted of its series; `minutes` has minute, count, minute, …"""

    id: str
    project_id: str
    environment: str
    rule: Rule
    service: str | None
    route: str | None
    error_code: str | None
    status: Status
    severity: Severity
    title: str
    assignee: str | None
    opened_at: datetime
    last_seen_at: datetime
    resolved_at: datetime | None
    resolved_by_person_at: datetime | None
    reopened_at: datetime | None
    observed: int
    baseline: int
    peak: int
    event_count: int
    recurrence_of: str | None
    is_newest: bool  # of its series
    newest: int
    minutes: tuple[int, ...]
    deploys: tuple[Deployed, ...] = ()

    @property
    def incident(self) -> Incident:
        """As the rules know it, in minutes."""
        return Incident(
            self.id,
            self.rule,
            minute_of(self.opened_at),
            minute_of(self.last_seen_at),
            self.severity,
            self.observed,
            self.baseline,
            self.peak,
            self.event_count,
            None,
            self.status,
            resolved_at=_minute(self.resolved_at),
            by_person=_minute(self.resolved_by_person_at),
            reopened=_minute(self.reopened_at),
        )

    @property
    def window(self) -> int:
        return MINUTES[self.rule]

    @property
    def counts(self) -> dict[int, int]:
        return dict(zip(self.minutes[::2], self.minutes[1::2], strict=True))


class Narrowed(NamedTuple):
    """Which rows; what is None does not narrow."""

    project: str | None = None
    environment: str | None = None
    severity: str | None = None
    assignee: str | None = None


class Found(NamedTuple):
    rows: list[Row]
    next: str | None  # the cursor of the rows after these


class Asked(NamedTuple):
    """Whose rows, at which moment, and up to when they are counted."""

    org: str
    now: datetime
    counted: Counted
    narrowed: Narrowed = Narrowed()


COLUMNS = """
    i.id, i.project_id, i.environment, i.rule, i.service, i.route, i.error_code, i.status, i.severity, i.title,
    i.assignee, utc(i.opened_at) AS opened_at, utc(i.last_seen_at) AS last_seen_at, utc(i.resolved_at) AS resolved_at,
    utc(i.resolved_by_person_at) AS resolved_by_person_at, utc(i.reopened_at) AS reopened_at, i.observed, i.baseline,
    i.peak, i.event_count, i.recurrence_of, s.incident IS NOT DISTINCT FROM i.id AS is_newest"""
# A series' own time: that of its newest event, and what has passed since it came; never ahead of ours.
SERIES_TIME = "least(s.newest_occurred + (:now::timestamptz - s.newest_received), :now)"
# The same, but no later than what is counted. An incident resolved after a day also asks how high it still is.
NEWEST = f"""
    least(minute_of({SERIES_TIME}) - 1,
          CASE WHEN s.stream = :stream THEN coalesce((:behind::json ->> s.partition::text)::int, :counted)
               ELSE :everywhere END)"""
WHERE = """
    i.org_id = :org
    AND (:project::text IS NULL OR i.project_id = :project)
    AND (:environment::text IS NULL OR i.environment = :environment)
    AND (:severity::text IS NULL OR i.severity = :severity)
    AND (:assignee::text IS NULL OR i.assignee = :assignee)"""
# OFFSET 0 keeps them from being written out again wherever they are used: planning took longer than reading.
ROWS = f"""
    SELECT p.key, (SELECT row_to_json(shown)::text FROM (
               SELECT {COLUMNS}, n.newest,
                      (SELECT ('[' || coalesce(string_agg(b.minute || ',' || b.value, ','), '') || ']')::json
                         FROM buckets b
                        WHERE b.series = i.series AND (b.minute BETWEEN span.first - 74 AND span.last
                           OR (i.resolved_at >= i.opened_at + interval '1 day' AND s.incident = i.id
                               AND b.minute BETWEEN n.newest - 14 AND n.newest))) AS minutes,
                      (SELECT coalesce(json_agg(json_build_object('at', utc(d.occurred_at))), '[]')
                         FROM (SELECT occurred_at FROM deploys
                                WHERE project_id = i.project_id AND environment = i.environment
                                  AND occurred_at >= minute_start(span.first)
                                  AND occurred_at < minute_start(span.last + 1)
                                ORDER BY occurred_at DESC LIMIT 10) d) AS deploys) shown)
      FROM page p JOIN incidents i ON i.id = p.id JOIN series s ON s.id = i.series
     CROSS JOIN LATERAL (SELECT {NEWEST} AS newest OFFSET 0) n
     CROSS JOIN LATERAL (
           SELECT CASE WHEN i.status = 'resolved' THEN minute_of(i.opened_at) - {BEFORE} ELSE n.newest - {BARS - 1} END
                  AS first) f
     CROSS JOIN LATERAL (SELECT f.first, least(f.first + {BARS - 1}, n.newest) AS last OFFSET 0) span
     ORDER BY p.place
"""  # noqa: S608 (our own words)

# Nobody has it first, then severity, then the newest: by the minute they were last seen, and by the opening among those
# of one minute, as their ids are. All that are not resolved are ranked: an index over last_seen_at would be written
# with every batch of every burning series.
RANK = "CASE WHEN i.assignee IS NULL THEN 0 ELSE 3 END + urgency_of(i.severity)"
UNRESOLVED = f"""
    WITH page AS MATERIALIZED (
        SELECT id, rank || '~' || seen || '~' || id AS key,
               row_number() OVER (ORDER BY rank, seen DESC, id DESC) AS place
          FROM (SELECT i.id, {RANK} AS rank, microseconds(i.last_seen_at) AS seen
                  FROM incidents i WHERE {WHERE} AND i.status <> 'resolved') ranked
         WHERE :at::timestamptz IS NULL OR (-rank, seen, id) < (-:rank::int, microseconds(:at), :id::uuid)
         ORDER BY rank, seen DESC, id DESC LIMIT :limit)
    {ROWS}
"""  # noqa: S608 (our own words)
RESOLVED = f"""
    WITH page AS MATERIALIZED (
        SELECT i.id, '9~' || microseconds(i.resolved_at) || '~' || i.id AS key,
               row_number() OVER (ORDER BY i.resolved_at DESC, i.id DESC) AS place
          FROM incidents i
         WHERE {WHERE} AND i.status = 'resolved'
           AND (:since::timestamptz IS NULL OR i.resolved_at >= :since)
           AND (:at::timestamptz IS NULL OR (i.resolved_at, i.id) < (:at, :id::uuid))
         ORDER BY i.resolved_at DESC, i.id DESC LIMIT :limit)
    {ROWS}
"""  # noqa: S608
ALL = f"""
    WITH page AS MATERIALIZED (
        SELECT i.id, '9~' || microseconds(i.opened_at) || '~' || i.id AS key,
               row_number() OVER (ORDER BY i.opened_at DESC, i.id DESC) AS place
          FROM incidents i
         WHERE {WHERE} AND (:at::timestamptz IS NULL OR (i.opened_at, i.id) < (:at, :id::uuid))
         ORDER BY i.opened_at DESC, i.id DESC LIMIT :limit)
    {ROWS}
"""  # noqa: S608


def unresolved(conn: Connection, asked: Asked, limit: int, cursor: str | None = None) -> Found:
    return _page(conn, UNRESOLVED, asked, limit, cursor)


def resolved(
    conn: Connection, asked: Asked, limit: int, cursor: str | None = None, since: datetime | None = None
) -> Found:
    """The newest resolution first."""
    return _page(conn, RESOLVED, asked, limit, cursor, since=since)


def every(conn: Connection, asked: Asked, limit: int, cursor: str | None = None) -> Found:
    """Whatever their state, the newest opening first."""
    return _page(conn, ALL, asked, limit, cursor)


def parameters(asked: Asked) -> dict[str, object]:
    """What `newest` and `where` need."""
    counted = asked.counted
    return {
        "org": asked.org,
        "now": asked.now,
        "stream": counted.stream,
        "counted": minute_of(counted.until) - 1,
        "everywhere": minute_of(counted.everywhere) - 1,
        "behind": counted.minutes_behind,
        **asked.narrowed._asdict(),
    }


def _page(
    conn: Connection, query: str, asked: Asked, limit: int, cursor: str | None, since: datetime | None = None
) -> Found:
    rank, at, last = _read(cursor)
    key = {"rank": rank, "at": at, "id": last, "since": since, "limit": limit + 1}
    found = ask(conn, query, **parameters(asked), **key)
    rows = [msgspec.json.decode(text, type=Row) for _, text in found[:limit]]
    return Found(rows, found[limit - 1][0] if len(found) > limit else None)


def _read(cursor: str | None) -> tuple[int | None, datetime | None, str | None]:
    """The key in a cursor of ours."""
    if not cursor:
        return None, None, None
    found = re.fullmatch(rf"([0-9])~({MICROSECONDS})~({UUID})", cursor, re.ASCII)
    if found is None:
        raise Problem("invalid_cursor", "This page of the list does not exist.", status=404)
    try:
        at = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=int(found[2]))
    except OverflowError:
        raise Problem("invalid_cursor", "This page of the list does not exist.", status=404) from None
    return int(found[1]), at, found[3]


def _minute(time: datetime | None) -> int | None:
    return None if time is None else minute_of(time)
