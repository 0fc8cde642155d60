"""What a station's answer means for the batch it was given.

A failure counts against a record only where the record may be the reason: the station broke off, ran out of time, or
answered that something went wrong inside it. Away, busy, locked or not a station of ours at all: nobody is guilty,
and the batch waits.
"""

from collections.abc import Mapping

import msgspec

from common.edge.records import UNREADABLE
from local.poller import batch

TOO_LARGE = 413
# Of 4xx these say nothing about the records: wrong key, wrong address, too many requests.
NOT_THE_RECORDS = (401, 403, 404, 405, 407, 408, 421, 425, 429)
SAID_CHARACTERS = 500


class Taken(msgspec.Struct, frozen=True):
    """Done, but for these partitions: from their offset on they come again."""

    again: dict[int, int] = {}


class Broken(msgspec.Struct, frozen=True):
    """Something in this batch may have broken the station."""

    why: str


class TooLarge(msgspec.Struct, frozen=True):
    """The platform takes no request of this size."""

    why: str


class Waits(msgspec.Struct, frozen=True):
    """The batch comes again, whole, when the world is back."""

    why: str
    seconds: float | None = None


class Buried(msgspec.Struct, frozen=True):
    """The record is among the dead letters."""


class Unburied(msgspec.Struct, frozen=True):
    """The dead letters could not be reached."""

    why: str


Outcome = Taken | Broken | TooLarge | Waits | Buried | Unburied
NAMES: dict[type[Outcome], str] = {
    Taken: "taken",
    Broken: "broken",
    TooLarge: "too_large",
    Waits: "waits",
    Buried: "buried",
    Unburied: "unburied",
}  # as the metrics say it


class _Identifier(msgspec.Struct):
    partition: str
    offset: int


class _Failure(msgspec.Struct):
    itemIdentifier: _Identifier  # noqa: N815  AWS's name


class _Answer(msgspec.Struct):
    batchItemFailures: list[_Failure]  # noqa: N815  AWS's name


class _Problem(msgspec.Struct):
    code: str = ""


_answer = msgspec.json.Decoder(_Answer).decode
_problem = msgspec.json.Decoder(_Problem).decode


def outcome(
    status: int, retry_after: str, content: bytes, topic: str, offsets: Mapping[int, tuple[int, int]]
) -> Outcome:
    """`offsets` are the first and the last sent of each partition."""
    said = f"it answered {status}: {content[:SAID_CHARACTERS].decode(errors='replace')}"
    if 200 <= status < 300:
        return _taken(content, topic, offsets, said)
    if status == TOO_LARGE:
        return TooLarge(said)
    if status == 503 or status in NOT_THE_RECORDS or status < 400 or _code(content) == "misconfigured":
        return Waits(said, float(retry_after) if retry_after.isdecimal() else None)
    return Broken(said)


def _taken(content: bytes, topic: str, offsets: Mapping[int, tuple[int, int]], said: str) -> Outcome:
    """An answer that is none of ours, or names what it was not given, must not pass for success."""
    try:
        failures = _answer(content).batchItemFailures
    except UNREADABLE:
        return Waits(f"{said} (not an answer of a stream function: is its address right?)")
    again: dict[int, int] = {}
    names = {batch.name(topic, partition): partition for partition in offsets}
    for failed in [one.itemIdentifier for one in failures]:
        partition = names.get(failed.partition)
        if partition is None or not offsets[partition][0] <= failed.offset <= offsets[partition][1]:
            return Waits(f"{said} (a record it was not given)")
        again[partition] = min(failed.offset, again.get(partition, failed.offset))
    return Taken(again)


def _code(content: bytes) -> str:
    """The machine name of a problem+json document; empty if it is none."""
    try:
        return _problem(content).code
    except UNREADABLE:
        return ""
