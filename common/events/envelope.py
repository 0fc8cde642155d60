"""What happened: the event a caller sends, and the envelope it is sealed into. The one definition of both.

The JSON Schema is published from these Structs (`schema.py`); what a Struct cannot say is in `canonicalize`.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from common.events.limits import BLANKS, INT_MAX, INT_MIN, LIMITS, MAX_AHEAD, MAX_DEPTH, Limits
from common.events.refusals import problem, told

SCHEMA_VERSION = "1.0"

EventType = Literal["error", "http_request", "signup", "deploy", "feedback", "custom"]
Severity = Literal["debug", "info", "warn", "error", "critical"]
Time = Annotated[datetime, Meta(tz=True)]
Message = Annotated[str, Meta(min_length=1, max_length=8192)]
Label = Annotated[str, Meta(min_length=1, max_length=64)]  # an environment; the id of an organisation, a project

Code = Annotated[str, Meta(max_length=128)]
Method = Annotated[str, Meta(max_length=16)]
Route = Annotated[str, Meta(max_length=512)]
Status = Annotated[int, Meta(ge=100, le=599)]
Name = Annotated[str, Meta(min_length=1, max_length=128)]
Integer = Annotated[int, Meta(ge=INT_MIN, le=INT_MAX)]
Scalar = Annotated[str, Meta(max_length=1024)] | Integer | float | bool | None
Attributes = dict[Name, Scalar]


class Known(Struct, gc=False):
    """The attributes with a rule of their own; every other one is any `Scalar`."""

    route: Route | None = None
    method: Method | None = None
    status_code: Status | None = None
    error_code: Code | None = None
    release: Code | None = None


class Event(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, gc=False):
    """What a caller sends. The fields after `payload` are ignored, so that archives replay."""

    event_id: UUID | UnsetType = UNSET
    occurred_at: Time
    environment: str = "dev"
    event_type: EventType
    severity: Severity = "info"
    message: Message
    attributes: Attributes = {}
    payload: dict[str, Any] = {}
    schema_version: Any = UNSET
    received_at: Any = UNSET
    org_id: Any = UNSET
    project_id: Any = UNSET
    minted: Any = UNSET
    clamped: Any = UNSET


IGNORED = Event.__struct_fields__[8:]


class Envelope(Struct, frozen=True, gc=False):
    """What is on the stream. A reader ignores fields it does not know: they are a later release's."""

    schema_version: Annotated[str, Meta(max_length=8)]  # 1.x
    event_id: UUID
    occurred_at: Time
    received_at: Time
    org_id: Label
    project_id: Label
    environment: Label
    event_type: EventType
    severity: Severity
    message: Message
    attributes: Attributes
    payload: dict[str, Any]
    minted: bool  # ingest made the event_id, so nobody can send it again
    clamped: Time | None  # the time claimed, where it was too far ahead


def canonicalize(event: Event, limits: Limits = LIMITS) -> Event:
    """The event with its time in UTC and nothing to ignore. Doing it twice changes nothing.

    Raises Problem for what the Struct cannot say: blank messages, the environments allowed, the rules of
    known attributes, integers and depth of what is free in form, years outside 1 to 9999 in UTC.
    """
    if event.message[0] in BLANKS and not event.message.strip(BLANKS):
        raise problem("empty", "message")
    if event.environment not in limits.environments:
        raise problem("not_allowed", "environment", f"must be one of {', '.join(limits.environments)}")
    if event.attributes:
        check_known(event.attributes)
    if event.payload and (flaw := _flaw(event.payload, MAX_DEPTH - 2)):
        raise problem(flaw, "payload")
    if not (
        event.schema_version is event.received_at is event.org_id is event.project_id is UNSET
        and event.minted is event.clamped is UNSET
    ):
        event = _without_ignored(event)
    if event.occurred_at.tzinfo is not UTC:
        return msgspec.structs.replace(event, occurred_at=to_utc(event.occurred_at, "occurred_at"))
    return event


def check_known(attributes: Attributes) -> None:
    """Raises Problem if a known attribute breaks its own rule."""
    try:
        msgspec.convert(attributes, Known)
    except msgspec.ValidationError as error:
        raise told(str(error), "attributes") from None


def to_utc(time: datetime, field: str) -> datetime:
    try:
        return time.astimezone(UTC)
    except OverflowError:
        raise problem("time_out_of_range", field) from None


def _flaw(value: Any, levels: int) -> str | None:
    """The first thing JSON can carry and we cannot: an integer beyond 64 bits, or nesting beyond `levels`."""
    for item in value.values() if type(value) is dict else value:
        kind = type(item)
        if kind is str:
            continue
        if kind is int:
            if not INT_MIN <= item <= INT_MAX:
                return "integer_out_of_range"
        elif kind is dict or kind is list:
            if not levels:
                return "too_deep"
            if flaw := _flaw(item, levels - 1):
                return flaw
    return None


def _without_ignored(event: Event) -> Event:
    """What is ignored obeys the same rules: whether an event is accepted must not depend on who reads it."""
    for field in IGNORED:
        if flaw := _flaw([getattr(event, field)], MAX_DEPTH - 1):
            raise problem(flaw, field)
    return msgspec.structs.replace(event, **dict.fromkeys(IGNORED, UNSET))


def seal(event: Event, org_id: str, project_id: str, received_at: datetime, new_id: Callable[[], UUID]) -> Envelope:
    """The event becomes its project's; a time more than five minutes ahead becomes `received_at`."""
    occurred_at, clamped = event.occurred_at, None
    if occurred_at - received_at > MAX_AHEAD:
        occurred_at, clamped = received_at, occurred_at
    minted = event.event_id is UNSET
    return Envelope(
        SCHEMA_VERSION,
        new_id() if event.event_id is UNSET else event.event_id,
        occurred_at,
        received_at,
        org_id,
        project_id,
        event.environment,
        event.event_type,
        event.severity,
        event.message,
        event.attributes,
        event.payload,
        minted,
        clamped,
    )


_encoder = msgspec.json.Encoder()


def encode(value: Event | Envelope) -> bytes:
    """The canonical form: fields in the order above, no blanks, times in UTC with Z, ids in lower case."""
    return _encoder.encode(value)
