"""What the first page shows beside the incidents themselves: two days in numbers, deploys, resolutions, health."""

from datetime import datetime, timedelta

import msgspec

from common.clients.postgres.connection import Connection
from common.clients.postgres.paging import ask
from common.detection.rules import Rule
from common.incidents.clock import minute_of, time_of
from common.incidents.incident import Severity

BIN, BINS = 15, 96  # minutes of a bar, bars of a day
DAY = 1_440
FOLLOWS = 30  # minutes in which what opens may have followed a deploy


class Bar(msgspec.Struct, frozen=True, array_like=True):
    """Events of one type in a quarter of an hour since 1970: of the last 24 hours, of the 24 before, or of neither."""

    quarter: int
    day: int
    event_type: str
    value: int


class Opened(msgspec.Struct, frozen=True):
    rule: Rule
    severity: Severity
    opened_at: datetime
    until: datetime | None


class Deploy(msgspec.Struct, frozen=True):
    event_id: str
    at: datetime
    release: str | None
    project_id: str
    environment: str
    followed_at: datetime | None
    followed_by: str | None


class Resolved(msgspec.Struct, frozen=True):
    id: str
    title: str
    opened_at: datetime
    resolved_at: datetime


class Overview(msgspec.Struct, frozen=True):
    newest: int | None  # the newest minute with an event, of the last two days
    ever: bool  # an event has arrived at all
    opened: int
    opened_before: int
    open_in: list[Opened]  # those that were open in the last 24 hours
    deploys: list[Deploy]
    resolved: list[Resolved]
    last_resolved: Resolved | None
    waiting: int


# An event is counted on the day it came or later, and claims to be at most five minutes younger than that.
BARS = """
    SELECT coalesce(json_agg(json_build_array(quarter, day, event_type, value)), '[]')::text
      FROM (SELECT minute / :bin AS quarter,
                   CASE WHEN minute > :minute - :day THEN 1 WHEN minute > :minute - 2 * :day THEN 2 ELSE 0 END AS day,
                   event_type, sum(value) AS value
              FROM activity
             WHERE org_id = :org AND minute >= :first AND minute <= :minute AND day >= :from::date
             GROUP BY 1, 2, 3) b
"""
# Days that are over are summed; to look for an event in every day's own part would take as long to plan as the rest.
QUERY = """
    SELECT json_build_object(
        'newest', (SELECT max(minute) FROM activity WHERE org_id = :org AND minute <= :minute AND day >= :from::date),
        'ever', (SELECT EXISTS (SELECT FROM series WHERE org_id = :org)
                     OR EXISTS (SELECT FROM activity WHERE org_id = :org AND day >= :from::date)
                     OR EXISTS (SELECT FROM activity_hours WHERE org_id = :org)),
        'opened', (SELECT count(*) FROM incidents
                    WHERE org_id = :org AND opened_at > :now::timestamptz - interval '1 day' AND opened_at <= :now),
        'opened_before', (SELECT count(*) FROM incidents
                           WHERE org_id = :org AND opened_at > :now::timestamptz - interval '2 days'
                             AND opened_at <= :now::timestamptz - interval '1 day'),
        'open_in', (SELECT coalesce(json_agg(o), '[]') FROM (
                        (SELECT rule, severity, utc(opened_at) AS opened_at, utc(resolved_at) AS until
                           FROM incidents WHERE org_id = :org AND status = 'resolved'
                            AND resolved_at > :now::timestamptz - interval '1 day' ORDER BY resolved_at DESC LIMIT 200)
                        UNION ALL
                        (SELECT rule, severity, utc(opened_at), NULL FROM incidents
                          WHERE org_id = :org AND status <> 'resolved' ORDER BY opened_at DESC LIMIT 200)) o),
        'deploys', (SELECT coalesce(json_agg(d), '[]') FROM (
                        SELECT event_id, utc(occurred_at) AS at, release, project_id, environment,
                               utc(f.opened_at) AS followed_at, f.id AS followed_by
                          FROM (SELECT * FROM deploys
                                 WHERE org_id = :org AND occurred_at > :now::timestamptz - interval '1 day'
                                   AND occurred_at <= :now
                                 ORDER BY occurred_at DESC, id DESC LIMIT 5) d
                          LEFT JOIN LATERAL (
                               SELECT id, opened_at FROM incidents i
                                WHERE i.org_id = d.org_id AND i.project_id = d.project_id
                                  AND i.environment = d.environment
                                  AND i.opened_at BETWEEN d.occurred_at - interval '1 minute'
                                                      AND d.occurred_at + :follows * interval '1 minute'
                                ORDER BY i.opened_at LIMIT 1) f ON true
                         ORDER BY occurred_at DESC) d),
        'resolved', (SELECT coalesce(json_agg(r), '[]') FROM (
                         SELECT id, title, utc(opened_at) AS opened_at, utc(resolved_at) AS resolved_at FROM incidents
                          WHERE org_id = :org AND status = 'resolved'
                            AND resolved_at > :now::timestamptz - interval '7 days'
                          ORDER BY incidents.resolved_at DESC, id DESC LIMIT 5) r),
        'last_resolved', (SELECT row_to_json(r) FROM (
                              SELECT id, title, utc(opened_at) AS opened_at, utc(resolved_at) AS resolved_at
                                FROM incidents WHERE org_id = :org AND status = 'resolved'
                               ORDER BY incidents.resolved_at DESC, id DESC LIMIT 1) r),
        'waiting', (SELECT count(*) FROM ai_jobs WHERE org_id = :org AND status IN ('queued', 'running')))::text
"""

# What changes beside the unresolved incidents: resolutions, jobs, deploys, the newest minute with an event.
VERSION = """
    SELECT concat_ws('|',
        (SELECT resolved_at FROM incidents WHERE org_id = :org AND status = 'resolved'
          ORDER BY resolved_at DESC, id DESC LIMIT 1),
        (SELECT max(updated_at) FROM ai_jobs WHERE org_id = :org),
        (SELECT max(occurred_at) FROM deploys WHERE org_id = :org),
        (SELECT max(minute) FROM activity WHERE org_id = :org AND day >= :from::date))
"""


def bars(conn: Connection, org: str, now: datetime) -> list[Bar]:
    """Of the last two days: every minute of them is read."""
    values = {"org": org, "minute": minute_of(now), "first": first_bar(now), "from": _from(now)}
    [[text]] = ask(conn, BARS, **values, bin=BIN, day=DAY)
    return msgspec.json.decode(text, type=list[Bar])


def overview(conn: Connection, org: str, now: datetime) -> Overview:
    values = {"org": org, "now": now, "minute": minute_of(now), "from": _from(now)}
    [[text]] = ask(conn, QUERY, **values, follows=FOLLOWS)
    return msgspec.json.decode(text, type=Overview)


def version(conn: Connection, org: str, now: datetime) -> str:
    [[text]] = ask(conn, VERSION, org=org, **{"from": (now - timedelta(days=1)).date().isoformat()})
    return str(text)


def first_bar(now: datetime) -> int:
    """The minute in which the first bar of the day before begins; the last bar of all holds the present minute."""
    return minute_of(now) // BIN * BIN + BIN - 2 * BINS * BIN


def _from(now: datetime) -> str:
    return (time_of(first_bar(now)) - timedelta(days=1)).date().isoformat()
