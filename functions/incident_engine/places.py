"""Where a batch stands in its partitions: what was counted before, what was passed over, and a topic made anew."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from common.clients.postgres.progress import Move, Place
from common.edge.records import CREATE_TIME, Record
from common.errors import Misconfigured

# A redelivered record is never newer than the last one counted; clocks of brokers may differ by so much.
ANEW_MS = 10 * 60 * 1000


class Advance(NamedTuple):
    """Which records are new, where that leaves each partition, and the offsets nobody will bring."""

    fresh: list[int]
    moves: list[Move]
    gaps: list[str]


def advance(records: Sequence[Record], places: Mapping[int, Place]) -> Advance:
    """Go through the records in their order; raises Misconfigured if the topic is not the one that was counted."""
    following = {partition: place.next for partition, place in places.items()}
    missed = dict.fromkeys(places, 0)
    last: dict[int, Record] = {}
    fresh: list[int] = []
    gaps: list[str] = []
    for at, record in enumerate(records):
        partition, offset, due = record.partition, record.offset, following[record.partition]
        if offset < due:
            _check(record, places[partition])
            continue
        if offset > due and (due or partition in last):  # a first batch may begin anywhere
            missed[partition] += offset - due
            gaps.append(f"{partition}/{due}-{offset - 1}")
        fresh.append(at)
        following[partition], last[partition] = offset + 1, record
    moves = [
        Move(partition, places[partition].next, record.offset + 1, _time_of(record), missed[partition])
        for partition, record in sorted(last.items())
    ]
    return Advance(fresh, moves, gaps)


def _check(record: Record, counted: Place) -> None:
    if counted.newest is None or record.timestamp_type == CREATE_TIME:
        return  # the broker's clock has said nothing
    if record.offset < counted.next and record.timestamp > counted.newest + ANEW_MS:
        raise Misconfigured(
            f"{record.topic} was made anew: partition {record.partition} brings offset {record.offset}, and "
            f"{counted.next} were counted before it. Nothing was skipped. If the topic is meant to be new, run "
            f"`python -m local.anew --yes`, and the engine begins at its first record."
        )


def _time_of(record: Record) -> int | None:
    return None if record.timestamp_type == CREATE_TIME else record.timestamp
