"""The event stream: one contract, two engines. Kafka where KAFKA_BROKERS is set, else a log in Postgres.

**Publishing** (any function). `publish(topic, [(key, value), …])` returns at once with a `Pending`: `pending.wait()` in
a plain handler, `await pending` in an async one. It resolves when the stream has every record for good. It raises
`Unavailable` with the reason if that is not known within about four seconds: then any of the records may or may not be
there, and the caller answers 503 and relies on the event id; and `Misconfigured` for a topic nobody made. Calls made at
the same time share a commit. `publish` itself raises `Unavailable` when this process's queue is full, and `Problem` for
a record over `limit(topic)`. Clients are opened on first use, one per process; a fork opens its own.

**Records.** Key and value are bytes or None and come back exactly as they went in. The partition is `partition_of(key)`
on both engines, so a key keeps its order; offsets count up by one; there are no headers.

**Reading** (the poller only, one group per station). Members of a group share the partitions. One that dies or freezes
loses its partitions within ten seconds, and its late commits are refused. Call `read` at least every few seconds, also
while everything is paused: it proves the member alive, and the others wait for it when partitions move. One thread
reads; commit, pause, resume and seek may come from any other.

* `read` gives the next records, each partition's in order, or none after `timeout`. It may give less than is there.
  It raises `Unavailable`: try again; after a lost connection it goes on from what is committed. `Overtaken`: retention
  has deleted records this group had not read; say so, `seek` to `low`, go on. `Recreated`: the topic was made anew; a
  person must decide. A group that never committed anything begins at the oldest record, silently.
* `commit({partition: next offset})` returns when it is stored. `Fenced` names partitions that are no longer ours:
  forget their records, somebody else has them; the others are committed. `Unavailable`: again after the next `read`.
* `pause` keeps one partition from being read while the others go on; `seek` goes back to an earlier offset, or on.
  For a partition that is not ours they do nothing.
* `assigned` says which partitions are ours and which offset is read next. A partition that left and came back begins
  at its committed offset again: records it had in flight come a second time.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING, Protocol
from zlib import crc32

from common import settings as configuration
from common import topics
from common.clients.stream.pending import Pending
from common.errors import Misconfigured, Problem

if TYPE_CHECKING:
    from common.edge.records import Record

Item = tuple[bytes | None, bytes | None]  # key, value
MAX_BYTES = 4 * 1024 * 1024  # of one record; Kafka topics are made for it
MAX_DEAD_BYTES = 6 * 1024 * 1024  # of a dead letter, which carries any such record as base64


class Fenced(Exception):
    """These partitions belong to another member now; what was committed for them is refused."""

    def __init__(self, partitions: Collection[int]) -> None:
        super().__init__(f"partitions {', '.join(map(str, sorted(partitions)))} belong to another member now")
        self.partitions = frozenset(partitions)


class Overtaken(Exception):
    """Retention deleted the records from `position` to `low` before this group had read them."""

    def __init__(self, partition: int, position: int, low: int) -> None:
        super().__init__(f"partition {partition}: offsets {position} to {low - 1} were deleted before they were read")
        self.partition, self.position, self.low = partition, position, low


class Recreated(Exception):
    """The group is ahead of the log, so this is not the topic it has read. Never mended silently: a person decides."""

    def __init__(self, partition: int, position: int, high: int, remedy: str) -> None:
        super().__init__(
            f"partition {partition}: the group is at offset {position}, but the topic ends at {high}, "
            f"so it was made anew. Set the group back: {remedy}"
        )
        self.partition, self.position, self.high = partition, position, high


class Reader(Protocol):
    def read(self, max_records: int, max_bytes: int, timeout: float) -> list[Record]: ...
    def commit(self, offsets: Mapping[int, int]) -> None: ...
    def assigned(self) -> dict[int, int]: ...
    def pause(self, partition: int) -> None: ...
    def resume(self, partition: int) -> None: ...
    def seek(self, partition: int, offset: int) -> None: ...
    def close(self) -> None: ...


class Stream(Protocol):
    @property
    def name(self) -> str:
        """Which stream this is: the engine and its cluster or database. Offsets mean nothing in another one."""

    def publish(self, topic: str, items: Sequence[Item]) -> Pending: ...

    def ends(self, topic: str) -> dict[int, tuple[int, int]]:
        """Each partition's first offset still there, and the one the next record will get."""

    def reader(self, topic: str, group: str) -> Reader: ...

    def scan(self, topic: str) -> Iterator[Record]:
        """Every record that is there now, a partition after the other; no group, nothing is committed."""

    def close(self) -> None: ...


def partition_of(key: bytes | None, partitions: int) -> int:
    """Where a key's records go. None goes where the empty key goes."""
    return crc32(key or b"") % partitions


def no_such_topic(topic: str) -> Misconfigured:
    return Misconfigured(f"The stream has no topic {topic}: run `python -m migrations.apply`.")


def limit(topic: str) -> int:
    """The largest record this topic takes."""
    return MAX_DEAD_BYTES if topic == topics.DLQ else MAX_BYTES


def check_sizes(topic: str, items: Sequence[Item]) -> int:
    """The bytes of all items together; one that is too large is refused before any is written."""
    sizes = [len(key or b"") + len(value or b"") for key, value in items]
    total, most = sum(sizes), limit(topic)
    if total > most and max(sizes) > most:
        raise Problem("too_large", f"A record has {max(sizes)} bytes; the stream takes {most}.", status=413)
    return total


@cache
def shared() -> Stream:
    """This process's stream, as its environment says."""
    return stream_for(configuration.current())


def stream_for(settings: configuration.Settings) -> Stream:
    """Kafka if there are brokers, else the log in Postgres; only the chosen engine's client is loaded."""
    if settings.kafka:
        from common.clients.stream.kafka import KafkaStream

        return KafkaStream(settings.kafka)
    from common.clients.stream.postgres import PostgresStream

    return PostgresStream(settings.database)
