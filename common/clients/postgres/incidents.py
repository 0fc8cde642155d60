"""Incidents as people and programs read them: a page of them, one with all that belongs to it."""

from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

import msgspec

from common.clients.postgres import outputs, paging
from common.clients.postgres.connection import Connection
from common.clients.postgres.paging import Page, ask, one, page, read

PLOT_POINTS = 360  # a longer incident's plot has wider bars

# What a list shows of an incident.
SHOWN = """
    i.id, i.org_id, i.project_id, i.environment, i.fingerprint, i.rule, i.service, i.route, i.error_code, i.status,
    i.severity, i.title, i.assignee, utc(i.opened_at) AS opened_at, utc(i.last_seen_at) AS last_seen_at,
    utc(i.resolved_at) AS resolved_at, i.window_minutes, i.observed, i.usual, i.peak, i.event_count,
    utc(i.last_event_at) AS last_event_at, i.recurrence_of"""

LIST = f"""
    SELECT microseconds(i.opened_at), i.id::text, (SELECT row_to_json(shown)::text FROM (SELECT {SHOWN}) shown)
      FROM incidents i
     WHERE i.org_id = :org
       AND (:project::text IS NULL OR i.project_id = :project)
       AND (:environment::text IS NULL OR i.environment = :environment)
       AND (:status::text IS NULL OR i.status = :status)
       AND (:severity::text IS NULL OR i.severity = :severity)
       AND (:rule::text IS NULL OR i.rule = :rule)
       AND (:since::timestamptz IS NULL OR i.opened_at >= :since)
       AND (:until::timestamptz IS NULL OR i.opened_at < :until)
       AND (:words::json IS NULL
            OR lower(concat_ws(' ', i.title, i.route, i.error_code, i.service))
               LIKE ALL (ARRAY(SELECT lower(json_array_elements_text(:words)))))
       AND (:at::timestamptz IS NULL OR (i.opened_at, i.id) < (:at, :id::uuid))
     ORDER BY i.opened_at DESC, i.id DESC LIMIT :limit
"""  # noqa: S608 (column names)

PRESENT = (
    f"SELECT row_to_json(shown)::text FROM (SELECT {SHOWN} FROM incidents i WHERE org_id = :org AND id = :id) shown"  # noqa: S608
)

EVENTS = """
    SELECT coalesce(json_agg(json_build_object(
               'id', e.id, 'event_id', e.event_id, 'occurred_at', utc(e.occurred_at), 'event_type', e.event_type,
               'severity', e.severity, 'message', e.message, 'attributes', e.attributes_json)
               ORDER BY e.occurred_at, e.id), '[]')
      FROM incident_events e WHERE e.incident_id = i.id"""


def entries(most: int) -> str:
    """Of the timeline of incident i the newest, and the one that opened it however many came after."""
    return f"""
    SELECT min(id) FROM incident_timeline WHERE incident_id = i.id UNION
    (SELECT id FROM incident_timeline WHERE incident_id = i.id ORDER BY id DESC LIMIT {most - 1})"""  # noqa: S608


TIMELINE = f"""
    SELECT coalesce(json_agg(row_to_json(t) ORDER BY t.id), '[]')
      FROM (SELECT id, utc(at) AS at, utc(done_at) AS done_at, who, what, why, numbers
              FROM incident_timeline
             WHERE id IN ({entries(200)})) t"""  # noqa: S608
RECURRENCES = """
    SELECT coalesce(json_agg(row_to_json(r)), '[]')
      FROM (SELECT id, status, severity, title, utc(opened_at) AS opened_at, utc(resolved_at) AS resolved_at
              FROM incidents o WHERE o.series = i.series AND o.id <> i.id ORDER BY o.opened_at DESC LIMIT 20) r"""
DEPLOYS = """
    SELECT coalesce(json_agg(row_to_json(d)), '[]')
      FROM (SELECT event_id, org_id, project_id, environment, utc(occurred_at) AS occurred_at, service, release,
                   message
              FROM deploys
             WHERE project_id = i.project_id AND environment = i.environment
               AND occurred_at >= minute_start(span.first) AND occurred_at < minute_start(span.last)
             ORDER BY deploys.occurred_at DESC LIMIT 20) d"""
# Every minute from an hour before the window that opened it to its end, or to now; the last bar may be cut short.
PLOT = """
    SELECT json_build_object('metric_name', s.metric_name, 'from', utc(minute_start(span.first)),
                             'to', utc(minute_start(span.last)), 'bucket_seconds', 60 * span.step,
                             'values', (SELECT json_agg(coalesce(v, 0) ORDER BY n)
                                          FROM generate_series(0, (span.last - span.first - 1) / span.step) n
                                          LEFT JOIN (SELECT (minute - span.first) / span.step AS n, sum(value) AS v
                                                       FROM buckets
                                                      WHERE series = i.series AND minute >= span.first
                                                        AND minute < span.last
                                                      GROUP BY 1) bars USING (n)))
      FROM series s WHERE s.id = i.series"""

ONE = f"""
    SELECT row_to_json(shown)::text
      FROM (SELECT {SHOWN}, ({EVENTS}) AS events, ({TIMELINE}) AS timeline,
                   ({PLOT}) AS series, ({RECURRENCES}) AS recurrences, ({DEPLOYS}) AS deploys
              FROM incidents i
             CROSS JOIN LATERAL (
                   SELECT (extract(epoch FROM i.opened_at) / 60)::int - i.window_minutes - 59 AS first,
                          (extract(epoch FROM greatest(i.opened_at, least(:now::timestamptz, coalesce(
                               i.resolved_at + interval '30 minutes', i.last_seen_at + interval '1 hour')))) / 60)::int
                          + 1 AS last) reach
             CROSS JOIN LATERAL (SELECT first, last, 1 + (last - first) / :points AS step) span
             WHERE i.org_id = :org AND i.id = :id) shown
"""  # noqa: S608 (column names)


# What changes of those that are not resolved, as one number: an incident has no time of its last change.
STANDING = """
    SELECT count(*), count(*) FILTER (WHERE status = 'open' AND assignee IS NULL),
           coalesce(sum(hashtextextended(concat_ws('|', id, status, severity, assignee, title, peak, event_count,
                                                   last_seen_at), 0)), 0)::text
      FROM incidents WHERE org_id = :org AND status <> 'resolved'
"""


class Standing(NamedTuple):
    """How many are not resolved, how many of them are open and nobody's, and a mark that changes with any of them."""

    not_resolved: int
    nobodys: int
    mark: str


class Narrowing(NamedTuple):
    """Which incidents are asked for; what is None does not narrow."""

    project: str | None = None
    environment: str | None = None
    status: str | None = None
    severity: str | None = None
    rule: str | None = None
    since: datetime | None = None
    until: datetime | None = None


def found(conn: Connection, org: str, narrowing: Narrowing, q: str, limit: int, cursor: str | None) -> Page:
    """Newest first. Every word of `q` must stand somewhere in title, route, error code or service."""
    words = msgspec.json.encode([f"%{_literally(word)}%" for word in q.split()]).decode() if q.split() else None
    key = read(cursor, paging.UUID)
    return page(conn, LIST, limit, org=org, words=words, at=key.at, id=key.id, **narrowing._asdict())


def standing(conn: Connection, org: str) -> Standing:
    [row] = ask(conn, STANDING, org=org)
    return Standing(*row)


def whole(conn: Connection, org: str, incident: str, now: datetime) -> dict[str, msgspec.Raw] | None:
    """One incident with events, summary, timeline, plot, recurrences and the deploys near it; None if not theirs."""
    found = one(ask(conn, ONE, org=org, id=incident, now=now, points=PLOT_POINTS))
    if found is None:
        return None
    parts = msgspec.json.decode(found, type=dict[str, msgspec.Raw])
    parts["summary"] = msgspec.Raw(msgspec.json.encode(summary(conn, org, incident)))
    return parts


def summary(conn: Connection, org: str, incident: str) -> dict[str, Any] | None:
    """The model's JSON, with what code knows about it: each item of evidence names the facts it cites."""
    shown = outputs.shown(conn, org, UUID(incident))
    if shown is None:
        return None
    known = {name: value for name, value in msgspec.structs.asdict(shown).items() if name != "content"}
    return shown.content | known


def present(conn: Connection, org: str, incident: str) -> msgspec.Raw | None:
    """Its present state, as a list shows it."""
    return one(ask(conn, PRESENT, org=org, id=incident))


def _literally(word: str) -> str:
    """As LIKE understands it: without wildcards."""
    return word.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
