"""Records of a topic, in every shape a platform brings them: AWS's Kafka event JSON, or one CloudEvent or many."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated

import msgspec

from common.errors import Misconfigured, Problem

# Every way in which bytes can fail to be the JSON that was wanted: broken, no UTF-8, or nesting without end.
UNREADABLE = (msgspec.DecodeError, UnicodeError, RecursionError)
LOG_APPEND_TIME, CREATE_TIME = "LOG_APPEND_TIME", "CREATE_TIME"


Natural = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]
Whole = Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)]


class Record(msgspec.Struct, gc=False):
    """One record, named as in AWS's Kafka event; key and value are the bytes that were published."""

    topic: str
    partition: Natural
    offset: Natural
    timestamp: Whole  # milliseconds, the broker's
    key: bytes | None = None
    value: bytes | None = None
    headers: list[dict[str, list[int]]] = []
    # CREATE_TIME where the publisher's clock made `timestamp`, on topics that are not ours
    timestamp_type: str = msgspec.field(name="timestampType", default=LOG_APPEND_TIME)


class Refused(msgspec.Struct, frozen=True):
    """A record nobody can use, and why; it goes to the dead letters and the batch goes on."""

    record: Record
    code: str
    detail: str


class Batch(msgspec.Struct):
    """AWS's Kafka event, and what the poller POSTs."""

    records: dict[str, list[Record]]


_batch = msgspec.json.Decoder(Batch)


def from_json(body: bytes) -> list[Record]:
    """A POSTed batch; base64 is decoded on the way."""
    try:
        return _flat(_batch.decode(body))
    except UNREADABLE as wrong:
        raise bad_batch(wrong) from None


def from_event(event: object) -> list[Record]:
    """The same, already taken apart by the host."""
    try:
        return _flat(msgspec.convert(event, Batch))
    except UNREADABLE as wrong:
        raise bad_batch(wrong) from None


def bad_batch(wrong: Exception) -> Problem:
    return Problem("bad_batch", f"Not a batch of records: {wrong}.", status=400)


def of_topic(records: list[Record], topic: str) -> list[Record]:
    """The same records, unless one is of another topic: then somebody wired this function to the wrong one.

    That is the operator's to mend, so it is answered as a failure that comes again, and nothing is lost.
    """
    for record in records:
        if record.topic != topic:
            raise Misconfigured(f"This function reads {topic}, and was given records of {record.topic}.")
    return records


def summary(records: list[Record], refused: Iterable[Refused] = ()) -> dict[str, object]:
    """What the log says of a batch: where it was in the stream, and what was refused for which reason."""
    ends: dict[int, tuple[int, int]] = {}
    for record in records:
        first, _ = ends.get(record.partition, (record.offset, 0))
        ends[record.partition] = (first, record.offset)
    reasons = [
        {"at": f"{one.record.partition}/{one.record.offset}", "code": one.code, "detail": one.detail} for one in refused
    ]
    said: dict[str, object] = {"records": len(records), "offsets": {str(k): f"{a}-{b}" for k, (a, b) in ends.items()}}
    return {**said, "refused": len(reasons), "first_refused": reasons[:10]} if reasons else said


def _flat(batch: Batch) -> list[Record]:
    return [record for records in batch.records.values() for record in records]
