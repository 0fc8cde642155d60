"""The gate of clock jobs and people: whoever judges silence must know that all that was sent has been counted.

A consumer that stands still looks exactly like silence. So the stream itself is asked where it ends, and then the gate
is shut for every partition until what is stored as counted has reached that end.
"""

import time
from collections.abc import Callable, Iterable

import msgspec

from common import topics
from common.clients.postgres import progress
from common.clients.postgres.database import Database
from common.clients.postgres.progress import Source
from common.clients.stream import Stream

LOOK_SECONDS = 0.1


class Origin(msgspec.Struct, frozen=True):
    """Where the events of a series come from, as its row says."""

    stream: str | None
    partition: int | None


class Gate(msgspec.Struct, frozen=True):
    """What was still shut when the waiting ended."""

    stream: str
    partitions: frozenset[int]
    shut: frozenset[int]

    def lets_pass(self, origin: Origin) -> bool:
        """A series that came from another stream may come from any partition of this one."""
        if origin.stream == self.stream and origin.partition in self.partitions:
            return origin.partition not in self.shut
        return not self.shut


class Patience(msgspec.Struct, frozen=True):
    """How long to wait, by which clock."""

    seconds: float
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep


def wait(database: Database, stream: Stream, origins: Iterable[Origin], patience: Patience) -> Gate:
    """Until every origin may pass, or patience ends. Events sent after this was called are not waited for."""
    source = Source(topics.INCIDENT_ENGINE, stream.name, topics.RAW)
    ends, wanted = stream.ends(topics.RAW), list(origins)
    until = patience.clock() + patience.seconds
    while True:
        with database.connection() as conn:
            counted = progress.counted(conn, source)
        # what retention has deleted before it was counted will never be counted: then the low offset is as good
        shut = frozenset(part for part, (low, high) in ends.items() if max(counted.get(part, 0), low) < high)
        gate = Gate(stream.name, frozenset(ends), shut)
        if patience.clock() >= until or all(gate.lets_pass(origin) for origin in wanted):
            return gate
        patience.sleep(LOOK_SECONDS)
