"""What people do to an incident. Done twice is done once; what is impossible is 409, with the present state."""

from collections.abc import Callable
from typing import Any

import msgspec
from fastapi import APIRouter, Response

from common.clients.postgres import actions, ai, incidents, tokens
from common.clients.postgres.actions import Act
from common.clients.postgres.tokens import Caller
from common.clients.stream import notices
from common.edge import clocks
from common.errors import Problem
from common.incidents.people import Person
from functions.core_api import parameters as p
from functions.core_api.answers import changed, theirs
from functions.core_api.callers import Responder
from functions.core_api.shapes.ai import Job
from functions.core_api.shapes.incidents import Assignment, Comment, Incident, Why
from functions.core_api.stores import database, stream

router = APIRouter(tags=["incidents"])


@router.post("/v1/incidents/{id}/acknowledge", response_model=Incident)
def acknowledge(caller: Responder, id: p.Id, body: Why | None = None) -> Response:  # noqa: A002
    """Somebody looks into it: an open incident is under investigation."""
    return done(act_of(caller, id, body), actions.acknowledge, already="investigating")


@router.post("/v1/incidents/{id}/unacknowledge", response_model=Incident)
def unacknowledge(caller: Responder, id: p.Id, body: Why | None = None) -> Response:  # noqa: A002
    """Nobody does any more: it is open again."""
    return done(act_of(caller, id, body), actions.unacknowledge, already="open")


@router.post("/v1/incidents/{id}/resolve", response_model=Incident)
def resolve(caller: Responder, id: p.Id, body: Why | None = None) -> Response:  # noqa: A002
    """It is fixed. Its series is brought up to date first, for which this waits at most two seconds."""
    return done(act_of(caller, id, body), lambda act: actions.resolve(act, stream()), already="resolved")


@router.post("/v1/incidents/{id}/reopen", response_model=Incident)
def reopen(caller: Responder, id: p.Id, body: Why | None = None) -> Response:  # noqa: A002
    """It was not fixed. Only the newest incident of its series can be opened again."""
    return done(act_of(caller, id, body), lambda act: actions.reopen(act, stream()), already="open")


@router.post("/v1/incidents/{id}/assign", response_model=Incident)
def assign(caller: Responder, id: p.Id, body: Assignment) -> Response:  # noqa: A002
    """To the person whose token has this name, or to nobody."""
    with database.connection() as conn:
        if body.assignee is not None and body.assignee not in tokens.people(conn, caller.org_id):
            raise Problem("unknown_person", "No access token has this name.", status=404, field="assignee")
    return done(act_of(caller, id), lambda act: actions.assign(act, body.assignee))


@router.post("/v1/incidents/{id}/comment", response_model=Incident)
def comment(caller: Responder, id: p.Id, body: Comment) -> Response:  # noqa: A002
    """Something worth remembering. The same words again, right after themselves, are one comment."""
    return done(act_of(caller, id, Why(why=body.text)), actions.comment)


@router.post("/v1/incidents/{id}/summarize", response_model=Job, status_code=202)
def summarize(caller: Responder, id: p.Id) -> Response:  # noqa: A002
    """Ask the model again. If a job of this incident waits or runs already, that is the answer."""
    with database.connection() as conn:
        job = theirs(ai.summarize(conn, caller.org_id, str(id), caller.name, clocks.now()), "incident")
        state = theirs(ai.job(conn, caller.org_id, job), "job")
    notices.wake(stream(), [job])
    return changed(state, 202)


def act_of(caller: Caller, incident: object, body: Why | None = None) -> Act:
    why = body.why if body and body.why else ""
    return Act(database, caller.org_id, str(incident), Person(caller.name, why), clocks.now())


def done(act: Act, do: Callable[[Act], None], already: str | None = None) -> Response:
    """The new state. If it was refused, but is the state that was wanted, nothing is wrong."""
    refusal = None
    try:
        do(act)
    except Problem as problem:
        if problem.status != 409:
            raise
        refusal = problem
    with database.connection() as conn:
        state = theirs(incidents.present(conn, act.org_id, act.incident_id), "incident")
    if refusal and status_of(state) != already:
        more = {"incident": msgspec.json.decode(state)}
        raise Problem(refusal.code, refusal.detail, status=409, more=more)
    return changed(state)


def status_of(state: msgspec.Raw) -> Any:
    return msgspec.json.decode(state)["status"]
