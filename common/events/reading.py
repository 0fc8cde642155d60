"""From bytes to one event, and from a record of the stream back: fast for what is good, exact about what is not."""

from collections.abc import Callable
from datetime import UTC
from typing import TypeVar

import msgspec

from common.errors import Problem
from common.events.envelope import Envelope, Event, canonicalize, check_known, to_utc
from common.events.limits import LIMITS, Limits
from common.events.refusals import problem

Kind = TypeVar("Kind")

NUL = b"\\u0000"  # the only way JSON can write it; after a backslash it is harmless, which `explain` knows
FAILED = (ValueError, RecursionError, Problem)  # every error of the decoder is a ValueError

_event = msgspec.json.Decoder(Event)
_envelope = msgspec.json.Decoder(Envelope)


def decode_one(raw: bytes, limits: Limits = LIMITS) -> Event:
    """One JSON object as a canonical event, or a Problem that names the field and the rule."""
    if len(raw) > limits.event_bytes:
        raise problem("too_large", None, f"is larger than {limits.event_bytes} bytes")
    failed: Exception | None = None
    try:
        event = canonicalize(_event.decode(raw), limits)
        if NUL not in raw:
            return event
    except FAILED as error:
        failed = error
    if reason := _explain(raw, Event, lambda event: canonicalize(event, limits)):
        raise reason
    if failed:
        raise problem("malformed", None, f"cannot be read: {failed}")
    return event


def decode_envelope(value: bytes) -> Envelope:
    """A record of the stream, or a Problem: whoever reads the stream trusts nothing it did not check."""
    failed: Exception | None = None
    try:
        envelope = _sound(_envelope.decode(value))
        if NUL not in value:
            return envelope
    except FAILED as error:
        failed = error
    if reason := _explain(value, Envelope, _sound):
        raise reason
    if failed:
        raise problem("malformed", None, f"cannot be read: {failed}")
    return envelope


def _sound(envelope: Envelope) -> Envelope:
    """Ingest has sealed it in UTC; whoever wrote to the topic himself may not have."""
    if not envelope.schema_version.startswith("1."):
        raise problem("not_allowed", "schema_version", "must begin with 1.")
    check_known(envelope.attributes)
    if envelope.occurred_at.tzinfo is envelope.received_at.tzinfo is UTC:
        return envelope
    times = {field: to_utc(getattr(envelope, field), field) for field in ("occurred_at", "received_at")}
    return msgspec.structs.replace(envelope, **times)


def _explain(raw: bytes, kind: type[Kind], finish: Callable[[Kind], object]) -> Problem | None:
    from common.events.explain import explain  # a start that has nothing to refuse does not pay for it

    return explain(raw, kind, finish)
