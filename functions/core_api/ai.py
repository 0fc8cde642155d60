"""GET /v1/ai/stats, activity and jobs; POST …/retry."""

from datetime import timedelta
from typing import Annotated
from uuid import UUID

import msgspec
from fastapi import APIRouter, Query, Request, Response

from common import settings
from common.clients.postgres import ai, projects
from common.clients.postgres.ai import DAY, Narrowing
from common.clients.stream import notices
from common.edge import clocks
from common.errors import Problem
from functions.core_api import parameters as p
from functions.core_api.answers import answered, changed, listed, theirs
from functions.core_api.callers import Responder, Viewer
from functions.core_api.shapes.ai import Activity, Job, Jobs, JobStatus, Stats
from functions.core_api.stores import database, stream

router = APIRouter(tags=["ai"])


@router.get("/v1/ai/stats", response_model=Stats)
def stats(caller: Viewer, request: Request) -> Response:
    """What waits and runs now, and how the last 24 hours went."""
    now, model = clocks.now(), settings.current().model
    with database.connection() as conn:
        standing = ai.standing(conn, caller.org_id, now)
        ended = ai.ended(conn, caller.org_id, now)
        seconds = ai.seconds(conn, caller.org_id, now)
    answer = {
        "since": now - DAY,
        **standing._asdict(),
        "succeeded": sum(count for (_, status), count in ended.items() if status == "succeeded"),
        "failed": sum(count for (_, status), count in ended.items() if status == "failed"),
        "seconds": dict(zip(("median", "p95"), seconds, strict=True)) if seconds else None,
        "configured": model is not None,
        "model": model.name if model else None,
    }
    return answered(request, answer)


@router.get("/v1/ai/activity", response_model=Activity)
def activity(caller: Viewer, request: Request) -> Response:
    """Jobs that ended, in each of the last 24 hours."""
    now = clocks.now()
    with database.connection() as conn:
        ended = ai.ended(conn, caller.org_id, now)
    hours = [
        {
            "at": now - DAY + timedelta(hours=hour),
            "succeeded": ended.get((hour, "succeeded"), 0),
            "failed": ended.get((hour, "failed"), 0),
        }
        for hour in range(24)
    ]
    return answered(request, {"hours": hours})


@router.get("/v1/ai/jobs", response_model=Jobs)
def jobs(
    caller: Viewer,
    request: Request,
    environment: p.Environment,
    project_id: p.Project = None,
    status: Annotated[JobStatus | None, Query(description="In this state only.")] = None,
    incident_id: Annotated[UUID | None, Query(description="Of this incident only.")] = None,
    limit: p.Limit = 50,
    cursor: p.NextById = None,
) -> Response:
    """A page of jobs, the newest first."""
    incident = str(incident_id) if incident_id else None
    with database.connection() as conn:
        projects.must_have(conn, caller.org_id, project_id)
        page = ai.found(conn, caller.org_id, Narrowing(project_id, environment, status, incident), limit, cursor)
    return listed(request, "jobs", page)


@router.post("/v1/ai/jobs/{id}/retry", response_model=Job)
def retry(caller: Responder, id: p.Id) -> Response:  # noqa: A002
    """A failed job is tried again. If it waits or runs already, nothing is wrong; a finished one is 409."""
    with database.connection() as conn:
        again = ai.retry(conn, caller.org_id, str(id), caller.name, clocks.now())
        job = theirs(ai.job(conn, caller.org_id, str(id)), "job")
    state = msgspec.json.decode(job)
    if again:
        notices.wake(stream(), [str(id)])
    elif state["status"] == "succeeded":
        raise Problem("not_failed", "Only a failed job can be tried again.", status=409, more={"job": state})
    return changed(job)
