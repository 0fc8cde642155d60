"""CloudEvents as Knative sends Kafka records: binary, structured, or a batch of structured ones.

Place, topic and time come from where its KafkaSource puts them: id `partition:3/offset:15`, source `…#topic`.
A CloudEvent that says no place is refused, since without one a record cannot be counted exactly once.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated, Literal

import msgspec

from common.edge.bodies import unescaped
from common.edge.records import UNREADABLE, Record, bad_batch
from common.edge.values import Request
from common.errors import Problem

ONE = "application/cloudevents+json"
MANY = "application/cloudevents-batch+json"
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Event(msgspec.Struct):
    """The attributes we use; `data` stays the bytes that were sent."""

    specversion: Literal["1.0"]
    id: str
    source: str
    time: Annotated[datetime, msgspec.Meta(tz=True)]
    key: str | None = None
    datacontenttype: str = "application/json"
    data: msgspec.Raw = msgspec.Raw(b"null")
    data_base64: bytes | None = None


_one = msgspec.json.Decoder(Event)
_many = msgspec.json.Decoder(list[Event])


def records_of(request: Request) -> list[Record] | None:
    """The records, or None if this is no CloudEvent."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    try:
        if kind == ONE:
            return [_structured(_one.decode(request.body))]
        if kind == MANY:
            return [_structured(event) for event in _many.decode(request.body)]
        if "ce-id" in request.headers:
            return [_binary(request)]
    except UNREADABLE as wrong:
        raise bad_batch(wrong) from None
    return None


def _binary(request: Request) -> Record:
    """The body is the value as it was published; an empty one is a record without a value."""
    attributes = {name[3:]: unescaped(value) for name, value in request.headers.items() if name.startswith("ce-")}
    return _record(msgspec.convert(attributes, Event), request.body or None)


def _structured(event: Event) -> Record:
    if event.data_base64 is not None:
        return _record(event, event.data_base64)
    data = bytes(event.data)
    if data == b"null":
        return _record(event, None)
    if event.datacontenttype.partition(";")[0].strip().lower().endswith("json"):
        return _record(event, data)
    return _record(event, msgspec.json.decode(data, type=str).encode())


def _record(event: Event, value: bytes | None) -> Record:
    topic = event.source.rpartition("#")[2]
    partition, _, offset = event.id.removeprefix("partition:").partition("/offset:")
    if "#" not in event.source or not (_counts(partition) and _counts(offset)):
        detail = "This CloudEvent does not say which record of which topic it is, as Knative's KafkaSource does."
        raise Problem("bad_batch", detail, status=400)
    milliseconds = (event.time - EPOCH) // timedelta(milliseconds=1)
    key = None if event.key is None else event.key.encode()
    return Record(topic, int(partition), int(offset), milliseconds, key, value)


def _counts(text: str) -> bool:
    """Digits, and no more of them than any table of ours can hold."""
    return text.isascii() and text.isdecimal() and len(text) < 19
