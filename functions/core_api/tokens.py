"""Access tokens: made, listed, revoked. A secret is shown once."""

import os

import msgspec
from fastapi import APIRouter, Request, Response

from common.clients.postgres import tokens
from functions.core_api import parameters as p
from functions.core_api.answers import changed, listed, theirs
from functions.core_api.callers import Admin
from functions.core_api.shapes.people import MadeToken, NewToken, Token, Tokens
from functions.core_api.stores import database

router = APIRouter(tags=["tokens"])


@router.get("/v1/tokens", response_model=Tokens)
def many(caller: Admin, request: Request, limit: p.Limit = 50, cursor: p.NextById = None) -> Response:
    """A page of your organisation's tokens, the newest first, without their secrets."""
    with database.connection() as conn:
        return listed(request, "tokens", tokens.found(conn, caller.org_id, limit, cursor))


@router.post("/v1/tokens", response_model=MadeToken, status_code=201)
def create(caller: Admin, body: NewToken) -> Response:
    """A new token, for one person. `token` is shown this once and kept by nobody."""
    org, who = caller.org_id, caller.name
    with database.connection() as conn:
        secret, made = tokens.create(conn, org, body.name, body.role, body.expires_at, who, os.urandom(24))
    return changed(msgspec.json.decode(made) | {"token": secret}, 201)


@router.post("/v1/tokens/{id}/revoke", response_model=Token)
def revoke(caller: Admin, id: p.Id) -> Response:  # noqa: A002
    """It dies within half a minute, and whoever is signed in with it is signed out. Twice is once."""
    with database.connection() as conn:
        return changed(theirs(tokens.revoke(conn, caller.org_id, str(id), caller.name), "token"))
