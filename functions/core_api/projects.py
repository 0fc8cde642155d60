"""Projects and their keys: made, listed, revoked. A secret is shown once."""

import os

import msgspec
from fastapi import APIRouter, Request, Response

from common.clients.postgres import projects
from common.clients.postgres.connection import Conflict
from common.errors import Problem
from functions.core_api import parameters as p
from functions.core_api.answers import changed, listed, theirs
from functions.core_api.callers import Admin, Viewer
from functions.core_api.shapes.people import Key, Keys, MadeKey, NewKey, NewProject, Projects, ProjectShape
from functions.core_api.stores import database

router = APIRouter(tags=["projects"])


@router.get("/v1/projects", response_model=Projects)
def many(caller: Viewer, request: Request, limit: p.Limit = 50, cursor: p.NextByLabel = None) -> Response:
    """A page of your organisation's projects, the newest first."""
    with database.connection() as conn:
        return listed(request, "projects", projects.found(conn, caller.org_id, limit, cursor))


@router.post("/v1/projects", response_model=ProjectShape, status_code=201)
def create(caller: Admin, body: NewProject) -> Response:
    """A new project. Its id is one of its kind in this installation."""
    with database.connection() as conn:
        try:
            return changed(projects.create(conn, caller.org_id, body.id, body.name, caller.name), 201)
        except Conflict:
            raise Problem("taken", "This id is taken; choose another.", status=409, field="id") from None


@router.get("/v1/projects/{id}/keys", response_model=Keys)
def keys(
    caller: Admin, request: Request, id: p.ProjectId, limit: p.Limit = 50, cursor: p.NextById = None  # noqa: A002
) -> Response:  # fmt: skip
    """A page of a project's keys, revoked ones too, without their secrets."""
    with database.connection() as conn:
        return listed(request, "keys", projects.keys(conn, caller.org_id, id, limit, cursor))


@router.post("/v1/projects/{id}/keys", response_model=MadeKey, status_code=201)
def create_key(caller: Admin, id: p.ProjectId, body: NewKey) -> Response:  # noqa: A002
    """A new key. `key` is shown this once and kept by nobody."""
    with database.connection() as conn:
        secret, made = projects.create_key(conn, caller.org_id, id, body.name, caller.name, os.urandom(24))
    return changed(msgspec.json.decode(made) | {"key": secret}, 201)


@router.post("/v1/projects/{id}/keys/{key_id}/revoke", response_model=Key)
def revoke_key(caller: Admin, id: p.ProjectId, key_id: p.Id) -> Response:  # noqa: A002
    """It dies within half a minute. Twice is once."""
    with database.connection() as conn:
        return changed(theirs(projects.revoke_key(conn, caller.org_id, id, str(key_id), caller.name), "key"))
