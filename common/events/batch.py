"""From a body to many events, so that a bad one takes no good one with it."""

import re
from collections.abc import Sequence

import msgspec
from msgspec import Raw, Struct

from common.errors import Problem
from common.events.brackets import split_array
from common.events.envelope import Event, canonicalize
from common.events.limits import LIMITS, Limits
from common.events.reading import FAILED, NUL, decode_one
from common.events.refusals import problem


class Rejected(Struct, frozen=True, gc=False):
    """One event of a batch that was refused."""

    index: int
    code: str
    field: str | None
    detail: str


class Batch(Struct, frozen=True, gc=False):
    """What a batch held: the good events in their order, and the bad ones by their place in it."""

    events: list[Event]
    rejected: list[Rejected]


class _Wrapped(Struct, forbid_unknown_fields=True):
    events: list[Event]


_event = msgspec.json.Decoder(Event)
_events = msgspec.json.Decoder(list[Event])
_wrapped = msgspec.json.Decoder(_Wrapped)
_pieces = msgspec.json.Decoder(list[Raw])
_object = msgspec.json.Decoder(dict[str, Raw])
_WRAPPER = re.compile(rb'\s*\{\s*"events"\s*:\s*(\[.*\])\s*\}\s*', re.DOTALL)


def decode_many(body: bytes, limits: Limits = LIMITS) -> Batch:
    """A JSON array, `{"events": […]}` or NDJSON. A bad event is listed and takes no good one with it.

    Raises Problem only when there are no events to tell apart, or too many of them.
    """
    try:
        events = _typed(body)
        if 0 < len(events) <= limits.batch_events and NUL not in body and _all_small(body, limits):
            return Batch([canonicalize(event, limits) for event in events], [])
    except FAILED:
        pass  # something in it is bad, or there is nothing: below, each is read alone
    return _one_by_one(_split(body), limits)


def _typed(body: bytes) -> list[Event]:
    if body.lstrip()[:1] == b"[":
        return _events.decode(body)
    try:
        return _wrapped.decode(body).events
    except msgspec.DecodeError:
        return _event.decode_lines(body)


def _all_small(body: bytes, limits: Limits) -> bool:
    return len(body) <= limits.event_bytes or max(map(len, _split(body)), default=0) <= limits.event_bytes


def _one_by_one(pieces: Sequence[bytes], limits: Limits) -> Batch:
    if len(pieces) > limits.batch_events:
        raise problem("too_many", None, f"has {len(pieces)} events: at most {limits.batch_events}")
    events, rejected = [], []
    for index, piece in enumerate(pieces):
        try:
            events.append(decode_one(piece, limits))
        except Problem as reason:
            rejected.append(Rejected(index, reason.code, reason.field, reason.detail))
    if rejected and not events and all(bad.code == "malformed" for bad in rejected):
        raise problem("malformed", None, "is neither JSON nor lines of JSON")
    return Batch(events, rejected)


def _split(body: bytes) -> list[bytes]:
    """The events of a batch as they were sent, even where one of them is not JSON."""
    if body.lstrip()[:1] == b"[":
        return _split_array(body)
    try:
        whole = _object.decode(body)
    except FAILED:
        wrapper = _WRAPPER.fullmatch(body)
        return _split_array(wrapper[1]) if wrapper else _split_lines(body)
    if "events" not in whole:
        return [body]
    if len(whole) > 1:
        raise problem("unknown_field", next(name for name in whole if name != "events"), "is not known beside events")
    listed = bytes(whole["events"])
    if not listed.startswith(b"["):
        raise problem("wrong_type", "events", "must be an array")
    return _split_array(listed)


def _split_lines(body: bytes) -> list[bytes]:
    lines = [line for line in body.split(b"\n") if line.strip()]
    if not lines:
        raise problem("malformed", None, "is not there: the body is empty")
    return lines


def _split_array(body: bytes) -> list[bytes]:
    try:
        return [bytes(piece) for piece in _pieces.decode(body)]
    except FAILED as error:
        pieces = split_array(body)
        if pieces is None:
            raise problem("malformed", None, f"is not a JSON array: {error}") from None
        return pieces
