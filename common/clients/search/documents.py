"""What the engines keep of an envelope, and how a page of them is given back: the same from both."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from common.clients.carried import carried
from common.clients.search import Found, Refusal
from common.clients.search.language import WHERE_WORDS_ARE, Question, marks, searchable
from common.errors import Problem
from common.events import envelope
from common.events.envelope import Attributes, EventType, Label, Message, Scalar, Severity, Time
from common.events.reading import NUL, decode_envelope

SHOWN = (
    "event_id",
    "occurred_at",
    "received_at",
    "org_id",
    "project_id",
    "environment",
    "event_type",
    "severity",
    "message",
    "attributes",
    "payload",
    "minted",
    "clamped",
)
Key = tuple[int, str, str]  # occurred_at in ms, event_id, project_id: the order, and the cursor

_ID = "[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_CURSOR = re.compile(rf"(-?[0-9]{{1,15}})~({_ID})~([^\0\ud800-\udfff]{{1,64}})")
_FIRST, _LAST = -62_135_596_800_000, 253_402_300_799_999  # the years 1 and 9999


class Known(envelope.Known, gc=False, omit_defaults=True):
    """The attributes the mapping knows by name; those below are any `Scalar`."""

    service: Scalar = None
    duration_ms: Scalar = None
    trace_id: Scalar = None
    span_id: Scalar = None
    user_id: Scalar = None
    source: Scalar = None
    host: Scalar = None


class Sealed(msgspec.Struct, frozen=True, gc=False):
    """The envelope as search reads it: the id stays text, it is only copied."""

    schema_version: Annotated[str, Meta(max_length=8)]
    event_id: Annotated[str, Meta(min_length=36, max_length=36)]
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
    minted: bool
    clamped: Time | None


_sealed = msgspec.json.Decoder(Sealed)
_encode = msgspec.json.Encoder().encode
_id = re.compile(_ID).fullmatch


def read(values: Sequence[bytes], refused: list[Refusal]) -> Iterator[tuple[int, Sealed, Known]]:
    """Each envelope with its place in the batch; what is none is appended to `refused`, with the reason.

    One at a time: a batch held as objects would cost the garbage collector as much as reading it.
    """
    for index, value in enumerate(values):
        try:
            sealed, known = _read_one(value)
        except Problem as problem:
            refused.append(Refusal(index, problem.code, str(problem)))
        else:
            yield index, sealed, known


def words_of(message: str, known: Known) -> str:
    """The words of the four texts that are searched."""
    return searchable(filter(None, (message, known.route, known.error_code, known.release)))


def spelled(value: Scalar) -> str:
    """An attribute's value as a query names it: text as it is, anything else as JSON."""
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def attribute_name(name: str) -> str:
    """Both engines keep `name=value`; so that it has one reading, an = within the name is written \\=."""
    return name.replace("\\", "\\\\").replace("=", "\\=") if "=" in name or "\\" in name else name


def page(question: Question, rows: Sequence[tuple[Key, Mapping[str, Any]]], total: int, limit: int) -> Found:
    """One page of the `limit + 1` rows that were asked for, the last of which tells only that there is a next page."""
    events = [_shown(question, event) for _, event in rows[:limit]]
    count = carried(len(_encode(event)) for event in events)
    return Found(events[:count], total, write_cursor(rows[count - 1][0]) if len(rows) > count else None)


def write_cursor(key: Key) -> str:
    return "~".join(map(str, key))


def read_cursor(cursor: str) -> Key:
    """Where the page before ended."""
    found = _CURSOR.fullmatch(cursor)
    if found is None or not _FIRST <= int(found[1]) <= _LAST:
        raise Problem("invalid_cursor", "cursor must be the `next` of the page before.", field="cursor")
    return int(found[1]), found[2], found[3]


def ranked(counted: Iterable[tuple[str, int]], most: int) -> dict[str, int]:
    """The most frequent first; equals by their name."""
    return dict(sorted(counted, key=lambda one: (-one[1], one[0]))[:most])


def step_of(question: Question, bars: int) -> tuple[int, int]:
    """Where the first bar begins, and how many milliseconds each one takes."""
    assert question.since is not None, "bars need a beginning"
    assert question.until is not None, "bars need an end"
    return question.since, max(1, -(-(question.until - question.since) // bars))


def series_of(rows: Iterable[tuple[str, int, int]], bars: int) -> dict[str, list[int]]:
    """Of rows of a name, a bar and its count: the bars of each name, in the order they come in."""
    series: dict[str, list[int]] = {}
    for name, bar, count in rows:
        series.setdefault(name, [0] * bars)[bar] = count
    return series


def _read_one(value: bytes) -> tuple[Sealed, Known]:
    try:
        sealed = _sealed.decode(value)
        in_utc = sealed.occurred_at.tzinfo is sealed.received_at.tzinfo is UTC
        if in_utc and NUL not in value and sealed.schema_version.startswith("1.") and _id(sealed.event_id):
            return sealed, msgspec.convert(sealed.attributes, Known)
    except (ValueError, RecursionError):
        pass  # read in full it says what is wrong, or becomes canonical
    sealed = _sealed.decode(envelope.encode(decode_envelope(value)))
    return sealed, msgspec.convert(sealed.attributes, Known)


def _shown(question: Question, event: Mapping[str, Any]) -> dict[str, Any]:
    """The event as readers see it, with the places of the query's words."""
    shown = {name: event.get(name) for name in SHOWN}
    texts = {"message": event["message"], **{name: event["attributes"].get(name) for name in WHERE_WORDS_ARE[1:]}}
    shown["highlights"] = {
        name: found for name, text in texts.items() if isinstance(text, str) and (found := marks(question.terms, text))
    }
    return shown
