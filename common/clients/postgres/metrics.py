"""What was counted, minute by minute: now against before, and over time."""

from collections import defaultdict
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from common.clients.postgres import hours
from common.clients.postgres.connection import Connection
from common.clients.postgres.paging import ask
from common.clients.postgres.quoting import render

BEFORE = {"now": 0, "hour_before": 60, "day_before": 1_440, "week_before": 10_080}  # minutes
BY = ("event_type", "severity", "environment")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# An event is counted on the day it came or later, and claims to be at most five minutes younger than that.
COUNTED = """
    a.org_id = :org AND a.minute >= :first AND a.minute < :last AND a.day >= :day::date
    AND (:project::text IS NULL OR a.project_id = :project)
    AND (:environment::text IS NULL OR a.environment = :environment)
    AND (:event_type::text IS NULL OR a.event_type = :event_type)
    AND (:severity::text IS NULL OR a.severity = :severity)"""
SUMMED = """
    SELECT (a.hour * 60 - :first) / :minutes, a.{by}, sum(a.value) FROM activity_hours a
     WHERE a.org_id = :org AND a.hour >= :first / 60 AND a.hour < :last / 60 AND a.day <= :until::date
       AND (:project::text IS NULL OR a.project_id = :project)
       AND (:environment::text IS NULL OR a.environment = :environment)
       AND (:event_type::text IS NULL OR a.event_type = :event_type)
       AND (:severity::text IS NULL OR a.severity = :severity)
     GROUP BY 1, 2"""
HOUR = f"SELECT :name, a.event_type, sum(a.value) FROM activity a WHERE {COUNTED} GROUP BY 2"  # noqa: S608
BURNING = """
    SELECT status, severity, count(*) FROM incidents
     WHERE org_id = :org AND status <> 'resolved'
       AND (:project::text IS NULL OR project_id = :project)
       AND (:environment::text IS NULL OR environment = :environment)
     GROUP BY 1, 2
"""

Hours = Mapping[str, Mapping[str, int]]


class Place(NamedTuple):
    """What is counted; None does not narrow."""

    project: str | None = None
    environment: str | None = None
    event_type: str | None = None
    severity: str | None = None


class Span(NamedTuple):
    """`points` equal parts of so many minutes, from a minute on."""

    first: int
    minutes: int
    points: int

    @property
    def last(self) -> int:
        return self.first + self.minutes * self.points


def sixty_minutes(conn: Connection, org: str, place: Place, now: datetime) -> Hours:
    """The sixty minutes up to now, and the same an hour, a day and a week before: of each type, how many events."""
    last = (now - _EPOCH) // timedelta(minutes=1) + 1
    asked = [
        render(HOUR, {"name": name, "org": org, **_minutes(last - ago - 60, last - ago), **place._asdict()})
        for name, ago in BEFORE.items()
    ]
    counted: dict[str, dict[str, int]] = {name: {} for name in BEFORE}
    for name, event_type, value in ask(conn, " UNION ALL ".join(asked)):
        counted[name][event_type] = int(value)
    return counted


def burning(conn: Connection, org: str, place: Place) -> dict[tuple[str, str], int]:
    """The incidents that are not resolved, by status and severity."""
    rows = ask(conn, BURNING, org=org, project=place.project, environment=place.environment)
    return {(status, severity): int(count) for status, severity, count in rows}


def over_time(conn: Connection, org: str, place: Place, span: Span, by: str) -> dict[str, list[int]]:
    """Of each value of `by`, the events in every part of the span. Whole hours of days that are over are summed."""
    assert by in BY
    counted = {"org": org, "minutes": span.minutes, **_minutes(span.first, span.last), **place._asdict()}
    query = f"SELECT (a.minute - :first) / :minutes, a.{by}, sum(a.value) FROM activity a WHERE {COUNTED} GROUP BY 1, 2"  # noqa: S608
    if span.minutes % 60 == 0 and span.first % 60 == 0 and (until := hours.summed_until(conn)):
        query = (
            f"{SUMMED.replace('{by}', by)} UNION ALL {query.replace('GROUP BY', 'AND a.day > :until::date GROUP BY')}"
        )
        counted["until"] = until.isoformat()
    values: dict[str, list[int]] = defaultdict(lambda: [0] * span.points)
    for part, name, value in ask(conn, query, **counted):
        values[name][int(part)] += int(value)
    return dict(values)


def time_of(minute: int) -> datetime:
    return _EPOCH + timedelta(minutes=minute)


def _minutes(first: int, last: int) -> dict[str, object]:
    day = max(time_of(first), datetime(1, 1, 2, tzinfo=UTC)) - timedelta(days=1)
    return {"first": first, "last": last, "day": day.date().isoformat()}
