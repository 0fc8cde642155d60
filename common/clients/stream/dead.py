"""Dead letters: records nobody could use, on signals.dlq.v1 with their bytes, where they come from, and why.

A letter's id follows from the record and the station, so that the same record refused again, because its batch came
again, is the same letter.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime

import msgspec

from common import topics
from common.clients.stream import Item, Stream, retried, shared
from common.edge import clocks
from common.edge.records import Record, Refused
from common.metrics import names

DETAIL_CHARACTERS = 2_000
# What is published at once; the stream's queue would refuse a whole batch of large ones for ever.
PUBLISH_BYTES = 2 * 1024 * 1024
NAMESPACE = "signals.dlq.v1"


class Reason(msgspec.Struct, frozen=True):
    code: str
    detail: str


class Letter(msgspec.Struct, frozen=True, kw_only=True):
    """As JSON: key and value are base64, null where the record had none; `timestamp` in ms, the broker's."""

    id: str
    station: str
    reason: Reason
    at: str
    by: str = ""  # who had it buried, if it was a person
    topic: str
    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: list[dict[str, list[int]]] = []


read = msgspec.json.Decoder(Letter).decode


def bury_for(station: str, stream: Callable[[], Stream] = shared) -> Callable[[list[Refused]], None]:
    """What `edge.stream` buries a station's refused records with."""

    def bury(refused: list[Refused]) -> None:
        now = clocks.now()
        publish(stream(), (letter(station, one, now) for one in refused))

    return bury


def letter(station: str, refused: Refused, now: datetime, by: str = "") -> Letter:
    """Of a record that came back and is refused again, the letter holds its own bytes, not the wrapping."""
    record, back = refused.record, retried.read(refused.record)
    return Letter(
        id=_id(station, record),
        station=station,
        reason=Reason(refused.code, refused.detail[:DETAIL_CHARACTERS]),
        at=now.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        by=by,
        topic=record.topic,
        partition=record.partition,
        offset=record.offset,
        timestamp=record.timestamp,
        key=record.key,
        value=back.value if back else record.value,
        headers=record.headers,
    )


def publish(stream: Stream, letters: Iterable[Letter]) -> None:
    """Returns when the stream has all of them for good."""
    given = list(letters)
    for items in _portions(given):
        stream.publish(topics.DLQ, items).wait()
    for one in given:
        names.DEAD_LETTERS.add(1, one.station, one.reason.code)
    names.PUBLISHED.add(len(given), topics.DLQ)


def _portions(letters: Iterable[Letter]) -> Iterator[list[Item]]:
    items: list[Item] = []
    size = 0
    for one in letters:
        value = msgspec.json.encode(one)
        if items and size + len(value) > PUBLISH_BYTES:
            yield items
            items, size = [], 0
        items.append((one.id.encode(), value))
        size += len(value)
    if items:
        yield items


def _id(station: str, record: Record) -> str:
    """The broker's time is part of it: in a topic made anew the same offset is another record."""
    from uuid import NAMESPACE_URL, uuid5  # only who buries pays for it

    where = f"{record.topic}/{record.partition}/{record.offset}/{record.timestamp}/{station}"
    return str(uuid5(NAMESPACE_URL, f"{NAMESPACE}/{where}"))
