"""GET /v1/search/events and /v1/search/counts, in one language on both engines."""

from datetime import datetime, timedelta
from typing import Annotated

import msgspec
from fastapi import APIRouter, Depends, Query, Request, Response

from common.clients.postgres import projects
from common.clients.search import Question, ask
from common.clients.search.language import LONGEST_QUERY, Field, milliseconds
from common.edge import clocks
from common.errors import Problem
from functions.core_api import parameters as p
from functions.core_api.answers import answered
from functions.core_api.callers import Viewer
from functions.core_api.shapes.events import Counted, Events
from functions.core_api.stores import database, search

router = APIRouter(tags=["events"])

Query_ = Annotated[
    str,
    Query(max_length=LONGEST_QUERY, description='Words, which all must occur; "a phrase"; -word; field:value. Fields '
          "are event_type, severity, environment, event_id and every attribute.", examples=["timeout route:/checkout"]),
]  # fmt: skip
Filters = Annotated[
    str, Query(max_length=LONGEST_QUERY, description="field:value,field:value", examples=["severity:error"])
]


class Asked(msgspec.Struct, frozen=True):
    """The parameters both questions share."""

    q: str
    filters: str
    project_id: str | None
    environment: str | None
    event_type: str | None
    severity: str | None
    since: datetime | None
    until: datetime | None


def asked(
    environment: p.Environment,
    q: Query_ = "",
    filters: Filters = "",
    project_id: p.Project = None,
    event_type: p.EventType = None,
    severity: p.Severity = None,
    since: p.From = None,
    until: p.To = None,
) -> Asked:
    return Asked(q, filters, project_id, environment, event_type, severity, since, until)


Search = Annotated[Asked, Depends(asked)]


@router.get("/v1/search/events", response_model=Events)
def events(
    caller: Viewer, request: Request, search_for: Search, limit: p.Limit = 50, cursor: p.NextEvent = None
) -> Response:
    """A page of events, the newest first, and how many there are. At most 31 days are looked through.

    These are the 31 days after `from`, or before `to`, or the last.
    """
    found = search().find(question(caller.org_id, search_for), limit=limit, cursor=cursor)
    return answered(request, {"events": found.events, "total": found.total, "next": found.next})


@router.get("/v1/search/counts", response_model=Counted)
def counts(caller: Viewer, request: Request, search_for: Search) -> Response:
    """How many of the matches have which type, severity and route, in the same 31 days."""
    return answered(request, search().counts(question(caller.org_id, search_for)))


def question(org: str, asked: Asked) -> Question:
    """What is asked of this organisation's events, of at most 31 days, and of its own projects."""
    found = ask(
        org,
        asked.q,
        asked.filters,
        project_id=asked.project_id,
        environment=asked.environment,
        event_type=asked.event_type,
        severity=asked.severity,
        since=asked.since,
        until=asked.until,
    )
    wanted = {term.value for term in found.terms if isinstance(term, Field) and term.name == "project_id"}
    with database.connection() as conn:
        for project in wanted:
            projects.must_have(conn, org, project)
    return limited(found, clocks.now())


def limited(question: Question, now: datetime) -> Question:
    """At most 31 days: those after `from`, or before `to`, or the last.

    The last end with a whole hour, after any event: asked again within the hour it is the same question, whose answer
    an engine may remember.
    """
    longest = milliseconds(p.EPOCH + p.LONGEST)
    since, until = question.since, question.until
    if since is None and until is None:
        until = milliseconds(now.replace(minute=0, second=0, microsecond=0) + timedelta(hours=2))
    if since is not None and until is not None and until - since > longest:
        raise Problem("too_long", "from and to may be 31 days apart.", field="to")
    since = since if since is not None else (until or 0) - longest
    return msgspec.structs.replace(question, since=since, until=until if until is not None else since + longest)
