"""GET /v1/incidents, and one with all that belongs to it."""

from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from common.clients.postgres import incidents, projects
from common.clients.postgres.incidents import Narrowing
from common.detection.rules import Rule
from common.edge import clocks
from common.incidents.incident import Severity, Status
from functions.core_api import parameters as p
from functions.core_api.answers import answered, listed, theirs
from functions.core_api.callers import Viewer
from functions.core_api.shapes.incidents import Incidents, WholeIncident
from functions.core_api.stores import database

router = APIRouter(tags=["incidents"])

Words = Annotated[
    str,
    Query(max_length=256, pattern=p.NO_NUL, description="Words, all of which stand in title, route, error code or "
          "service. Looks through 31 days: those after `from`, or before `to`, or the last.", examples=["checkout"]),
]  # fmt: skip


@router.get("/v1/incidents", response_model=Incidents)
def many(
    caller: Viewer,
    request: Request,
    environment: p.Environment,
    project_id: p.Project = None,
    status: Annotated[Status | None, Query(description="In this state only.")] = None,
    severity: Annotated[Severity | None, Query(description="Of this severity only.")] = None,
    rule: Annotated[Rule | None, Query(description="Opened by this rule only.")] = None,
    q: Words = "",
    since: p.From = None,
    until: p.To = None,
    limit: p.Limit = 50,
    cursor: p.NextById = None,
) -> Response:
    """A page of incidents, the newest first by `opened_at`, which never moves: new ones do not shift a later page.

    `from` and `to` narrow by `opened_at`.
    """
    if q.strip():
        now = clocks.now()
        stretch = p.between(since, until, p.Between(now - p.LONGEST, now + timedelta(minutes=1)))
        since, until = stretch.since, stretch.until
    narrowing = Narrowing(project_id, environment, status, severity, rule, since, until)
    with database.connection() as conn:
        projects.must_have(conn, caller.org_id, project_id)
        return listed(request, "incidents", incidents.found(conn, caller.org_id, narrowing, q, limit, cursor))


@router.get("/v1/incidents/{id}", response_model=WholeIncident)
def one(caller: Viewer, request: Request, id: p.Id) -> Response:  # noqa: A002 (its name in the path)
    """One incident: at most 100 events, the summary with what proves it, the timeline, the plot, recurrences, deploys.

    Of the timeline it is the first entry and the newest 199. Deploys are those from an hour before its window on.
    """
    with database.connection() as conn:
        found = incidents.whole(conn, caller.org_id, str(id), clocks.now())
    return answered(request, theirs(found, "incident"))
