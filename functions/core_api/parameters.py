"""The parameters of requests: their types, what they mean, and that there are no others."""

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any
from uuid import UUID

import msgspec
from fastapi import Depends, Query, Request
from fastapi import Path as InPath
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from pydantic import BeforeValidator, Field
from starlette.routing import BaseRoute

from common import settings
from common.clients.postgres.paging import LABEL as LABEL_TEXT
from common.clients.postgres.paging import MICROSECONDS, NUMBER
from common.clients.postgres.paging import UUID as UUID_TEXT
from common.errors import Problem
from common.events.envelope import EventType as EventTypes
from common.events.envelope import Severity as Severities

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
LONGEST = timedelta(days=31)
NO_NUL = r"^[^\u0000]*$"
LABEL = f"^{LABEL_TEXT}$"
NEXT = "`next` of the page before."
_FIRST, _LAST = datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, 23, 59, tzinfo=UTC)
_time = Annotated[datetime, msgspec.Meta(tz=True)]


def rfc3339(text: Any) -> Any:
    """Nothing else is a time: not a date, not a number, not a time without offset."""
    try:
        time: datetime = msgspec.convert(text, _time)
        return time.astimezone(UTC)
    except (msgspec.ValidationError, OverflowError):
        raise ValueError("must be an RFC 3339 time such as 2025-01-15T10:00:00Z") from None


Time = Annotated[datetime, BeforeValidator(rfc3339)]

Limit = Annotated[int, Query(ge=1, le=200, description="The most items of a page, which also ends at half a megabyte.")]
NextById = Annotated[str | None, Query(pattern=f"^{MICROSECONDS}~{UUID_TEXT}$", description=NEXT)]
NextByNumber = Annotated[str | None, Query(pattern=f"^{MICROSECONDS}~{NUMBER}$", description=NEXT)]
NextByLabel = Annotated[str | None, Query(pattern=f"^{MICROSECONDS}~{LABEL_TEXT}$", description=NEXT)]
NextEvent = Annotated[str | None, Query(pattern=f"^-?[0-9]{{1,15}}~{UUID_TEXT}~[a-z0-9_-]{{1,64}}$", description=NEXT)]
Project = Annotated[str | None, Query(pattern=LABEL, description="Of this project only.", examples=["shop"])]
EventType = Annotated[EventTypes | None, Query(description="Events of this type only.", examples=["error"])]
Severity = Annotated[Severities | None, Query(description="Of this severity only.", examples=["critical"])]
From = Annotated[
    Time | None,
    Query(alias="from", description="From this time on, RFC 3339.", examples=["2025-01-15T10:00:00Z"]),
]
To = Annotated[
    Time | None, Query(alias="to", description="Before this time, RFC 3339.", examples=["2025-01-15T11:00:00Z"])
]
Id = Annotated[UUID, InPath(examples=["0198c0de-0000-7000-8000-000000000001"])]
ProjectId = Annotated[str, InPath(pattern=LABEL, examples=["shop"])]

Text = Annotated[str, Field(min_length=1, max_length=4000, pattern=NO_NUL)]
Name = Annotated[str, Field(min_length=1, max_length=128, pattern=NO_NUL)]


def one_environment(
    environment: Annotated[str | None, Query(description="Of this environment only.", examples=["prod"])] = None,
    env: Annotated[str | None, Query(include_in_schema=False)] = None,
) -> str | None:
    """`env` is the same; saying both is fine if they agree."""
    said = environment if environment is not None else env
    if env is not None and env != said:
        raise Problem("contradiction", "environment and env say different things.", field="env")
    if said is not None and said not in settings.current().environments:
        allowed = ", ".join(settings.current().environments)
        raise Problem("invalid", f"environment must be one of {allowed}.", field="environment")
    return said


Environment = Annotated[str | None, Depends(one_environment)]


class Between(msgspec.Struct, frozen=True):
    """A stretch of time of at most 31 days."""

    since: datetime
    until: datetime


def between(since: datetime | None, until: datetime | None, default: Between) -> Between:
    """With one end given, 31 days from there; with none, the default."""
    if since is None and until is None:
        return default
    if since is None or until is None:
        return bounded(since, until)
    if until <= since:
        raise Problem("invalid", "to must be after from.", field="to")
    if until - since > LONGEST:
        raise Problem("too_long", "from and to may be 31 days apart.", field="to")
    return Between(since, until)


def bounded(since: datetime | None, until: datetime | None) -> Between:
    """The 31 days after the one, or before the other; time itself has ends too."""
    if since is not None:
        return Between(since, since + LONGEST if since < _LAST - LONGEST else _LAST)
    assert until is not None
    return Between(until - LONGEST if until > _FIRST + LONGEST else _FIRST, until)


def only_known(request: Request) -> None:
    """A misspelt parameter would silently mean nothing; so it is an error, and so is one said twice."""
    known = _known(request)
    for name, times in Counter(name for name, _ in request.query_params.multi_items()).items():
        if name not in known:
            said = f"There is {', '.join(sorted(known))}." if known else "There are none here."
            raise Problem("unknown_parameter", f"There is no such parameter. {said}", field=name[:128])
        if times > 1:
            raise Problem("repeated_parameter", "This parameter was sent twice.", field=name)


def _known(request: Request) -> frozenset[str]:
    names: dict[tuple[str, str], frozenset[str]] = request.app.state.parameters
    return names[request.scope["route"].path_format, request.method]


def known_to(routes: Iterable[BaseRoute]) -> dict[tuple[str, str], frozenset[str]]:
    """Of each path and method, the names its query may have: its own, and those of what it depends on."""
    return {
        (route.path_format, method): frozenset(_names(route.dependant))
        for route in routes
        if isinstance(route, APIRoute)
        for method in route.methods or ()
    }


def _names(dependant: Dependant) -> Iterator[str]:
    yield from (one.alias for one in dependant.query_params)
    for needed in dependant.dependencies:
        yield from _names(needed)
