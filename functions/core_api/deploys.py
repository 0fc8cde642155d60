"""GET /v1/deploys: what changed."""

from fastapi import APIRouter, Request, Response

from common.clients.postgres import deploys, projects
from functions.core_api import parameters as p
from functions.core_api.answers import listed
from functions.core_api.callers import Viewer
from functions.core_api.shapes.deploys import Deploys
from functions.core_api.stores import database

router = APIRouter(tags=["deploys"])


@router.get("/v1/deploys", response_model=Deploys)
def many(
    caller: Viewer,
    request: Request,
    environment: p.Environment,
    project_id: p.Project = None,
    since: p.From = None,
    until: p.To = None,
    limit: p.Limit = 50,
    cursor: p.NextByNumber = None,
) -> Response:
    """A page of deploys, the newest first."""
    with database.connection() as conn:
        projects.must_have(conn, caller.org_id, project_id)
        page = deploys.found(conn, caller.org_id, project_id, environment, since, until, limit, cursor)
    return listed(request, "deploys", page)
