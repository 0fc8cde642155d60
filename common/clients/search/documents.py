"""What the engines keep of an envelope, and how a page of them is given back: the same from both."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from common.clients.search import Found, Refusal
from common.clients.search.language import WHERE_WORDS_ARE, Question, marks, searchable
from common.errors import Problem
from common.events.envelope import Envelope, Scalar
from common.events.reading import decode_envelope

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

_CURSOR = re.compile(r"(-?[0-9]{1,15})~([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})~(.{1,64})", re.DOTALL)


def read(envelopes: Sequence[bytes]) -> tuple[dict[int, Envelope], list[Refusal]]:
    """The envelopes by their place in the batch; what is none is refused with the reason."""
    good: dict[int, Envelope] = {}
    refused = []
    for index, value in enumerate(envelopes):
        try:
            good[index] = decode_envelope(value)
        except Problem as problem:
            refused.append(Refusal(index, problem.code, str(problem)))
    return good, refused


def words_of(envelope: Envelope) -> str:
    """The words of the four texts that are searched."""
    attributes = envelope.attributes
    others = [attributes.get(name) for name in WHERE_WORDS_ARE[1:]]
    return searchable([envelope.message, *(text for text in others if isinstance(text, str))])


def spelled(value: Scalar) -> str:
    """An attribute's value as a query names it: text as it is, anything else as JSON."""
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def attribute_name(name: str) -> str:
    """Both engines keep `name=value`; so that it has one reading, an = within the name is written \\=."""
    return name.replace("\\", "\\\\").replace("=", "\\=") if "=" in name or "\\" in name else name


def page(question: Question, rows: Sequence[tuple[Key, Mapping[str, Any]]], total: int, limit: int) -> Found:
    """One page of the `limit + 1` rows that were asked for; the last tells only that there is a next page."""
    events = [_shown(question, event) for _, event in rows[:limit]]
    return Found(events, total, write_cursor(rows[limit - 1][0]) if len(rows) > limit else None)


def write_cursor(key: Key) -> str:
    return "~".join(map(str, key))


def read_cursor(cursor: str) -> Key:
    """Where the page before ended."""
    found = _CURSOR.fullmatch(cursor)
    if found is None:
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


def _shown(question: Question, event: Mapping[str, Any]) -> dict[str, Any]:
    """The event as readers see it, with the places of the query's words."""
    shown = {name: event.get(name) for name in SHOWN}
    texts = {"message": event["message"], **{name: event["attributes"].get(name) for name in WHERE_WORDS_ARE[1:]}}
    shown["highlights"] = {
        name: found for name, text in texts.items() if isinstance(text, str) and (found := marks(question.terms, text))
    }
    return shown
