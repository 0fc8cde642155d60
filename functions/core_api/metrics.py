"""GET /v1/metrics/overview and /v1/metrics/trends: what was counted."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request, Response

from common.clients.postgres import metrics, projects
from common.clients.postgres.metrics import Place, Span
from common.clients.search.language import ask as ask_search
from common.edge import clocks
from common.errors import Problem
from functions.core_api import parameters as p
from functions.core_api.answers import answered
from functions.core_api.callers import Viewer
from functions.core_api.shapes.metrics import Overview, Trends
from functions.core_api.stores import database, search

router = APIRouter(tags=["metrics"])

TYPES = ("error", "http_request", "signup", "deploy", "feedback", "custom")
STEPS = {"minute": 1, "hour": 60, "day": 1_440}
MOST_POINTS = 1_500
ROUTES = 5

Step = Annotated[Literal["minute", "hour", "day"], Query(description="The width of a point.")]
By = Annotated[
    Literal["event_type", "severity", "environment", "route"],
    Query(description="One series for each value; of routes the five most frequent, from search."),
]


@router.get("/v1/metrics/overview", response_model=Overview)
def overview(caller: Viewer, request: Request, environment: p.Environment, project_id: p.Project = None) -> Response:
    """The last sixty minutes, beside the same of an hour, a day and a week before; and what burns now."""
    now, place = clocks.now(), Place(project_id, environment)
    with database.connection() as conn:
        projects.must_have(conn, caller.org_id, project_id)
        hours = metrics.sixty_minutes(conn, caller.org_id, place, now)
        burning = metrics.burning(conn, caller.org_id, place)
    by_type = {kind: {name: counted.get(kind, 0) for name, counted in hours.items()} for kind in TYPES}
    counted = {"at": now, "minutes": 60, "events": {name: sum(one.values()) for name, one in hours.items()}}
    return answered(request, {**counted, "by_type": by_type, "incidents": summed(burning)})


@router.get("/v1/metrics/trends", response_model=Trends)
def trends(
    caller: Viewer,
    request: Request,
    environment: p.Environment,
    project_id: p.Project = None,
    event_type: p.EventType = None,
    severity: p.Severity = None,
    step: Step = "hour",
    by: By = "event_type",
    since: p.From = None,
    until: p.To = None,
) -> Response:
    """Events over time, at most 31 days and 1,500 points; without `from` and `to` the last 24 hours.

    `from` and `to` are moved outwards to whole steps.
    """
    now = clocks.now()
    stretch = p.between(since, until, p.Between(now - timedelta(days=1), now))
    span, place = span_of(stretch, STEPS[step]), Place(project_id, environment, event_type, severity)
    with database.connection() as conn:
        projects.must_have(conn, caller.org_id, project_id)
        found = {} if by == "route" else metrics.over_time(conn, caller.org_id, place, span, by)
    if by == "route":
        found = over_time_by_route(caller.org_id, place, span)
    series = [{"name": name, "total": sum(values), "values": values} for name, values in found.items()]
    series.sort(key=lambda one: (-int(one["total"]), one["name"]))  # type: ignore[call-overload]
    ends = {"from": metrics.time_of(span.first), "to": metrics.time_of(span.last)}
    return answered(request, {**ends, "step": step, "by": by, "series": series})


def span_of(stretch: p.Between, minutes: int) -> Span:
    """The whole steps that hold the stretch."""
    seconds = minutes * 60
    first = int((stretch.since - p.EPOCH).total_seconds() // seconds)
    last = -int((p.EPOCH - stretch.until).total_seconds() // seconds)
    if last - first > MOST_POINTS:
        raise Problem("too_many_points", f"That is more than {MOST_POINTS} points: take a wider step.", field="step")
    return Span(first * minutes, minutes, last - first)


def over_time_by_route(org: str, place: Place, span: Span) -> dict[str, list[int]]:
    """Counts are kept by type, severity and environment; only search knows routes."""
    asked = ask_search(
        org,
        project_id=place.project,
        environment=place.environment,
        event_type=place.event_type,
        severity=place.severity,
        since=metrics.time_of(span.first),
        until=metrics.time_of(span.last),
    )
    return search().routes_over_time(asked, span.points, ROUTES)


def summed(burning: Mapping[tuple[str, str], int]) -> dict[str, Any]:
    return {
        "open": sum(count for (status, _), count in burning.items() if status == "open"),
        "investigating": sum(count for (status, _), count in burning.items() if status == "investigating"),
        "critical": sum(count for (_, severity), count in burning.items() if severity == "critical"),
    }
