"""Up to when everything is counted: what was not counted yet must not look like zero."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import msgspec

from common import topics
from common.clients.postgres.connection import Connection
from common.clients.postgres.paging import ask
from common.incidents.clock import minute_of

Ends = Mapping[int, tuple[int, int]]  # of each partition, as the stream says
GRACE = timedelta(seconds=15)


class Reached(NamedTuple):
    """The next offset to be counted, and the broker's time of the last record that was."""

    next: int
    at: datetime


NOTHING = Reached(0, datetime.max.replace(tzinfo=UTC))


class Counted(msgspec.Struct, frozen=True):
    """`until` holds for every partition but those that are `behind`, each with the time of its last counted record."""

    stream: str
    until: datetime
    behind: dict[int, datetime] = {}

    @property
    def minutes_behind(self) -> str:
        """Of each partition that is behind the newest whole minute, as JSON: for statements over many series."""
        return msgspec.json.encode({str(part): minute_of(at) - 1 for part, at in self.behind.items()}).decode()

    @property
    def everywhere(self) -> datetime:
        return min([self.until, *self.behind.values()])


class Watch:
    """A partition that is behind for a moment is being counted; one that stays where it was stands still."""

    def __init__(self) -> None:
        self._seen: dict[int, tuple[int, datetime]] = {}

    def counted(self, stream: str, ends: Ends | None, reached: Mapping[int, Reached], now: datetime) -> Counted:
        """`ends` as the stream said them at `now`; None: it does not answer, and nobody knows of anything newer."""
        if ends is None:
            newest = max((one.at for one in reached.values()), default=now)
            return Counted(stream, min(newest, now))
        late = {
            part: reached.get(part, NOTHING)
            for part, (low, high) in ends.items()
            if max(reached.get(part, NOTHING).next, low) < high
        }
        seen = {part: self._since(part, one, now) for part, one in late.items()}
        self._seen = {part: (late[part].next, since) for part, since in seen.items()}
        # of a partition that nobody has counted from, only that it waits since it was first seen is known
        at = {part: since if late[part] is NOTHING else min(late[part].at, now) for part, since in seen.items()}
        return Counted(stream, now, {part: at[part] for part, since in seen.items() if now - since > GRACE})

    def _since(self, part: int, one: Reached, now: datetime) -> datetime:
        next_offset, since = self._seen.get(part, (None, now))
        return since if next_offset == one.next else now


def reached(conn: Connection, stream: str) -> dict[int, Reached]:
    """Of each partition. An empty name stands for a stream that could not say which it is: then of any."""
    query = """
        SELECT partition, next, coalesce(to_timestamp(newest / 1000.0), at) FROM progress
         WHERE consumer = :consumer AND (:stream = '' OR stream = :stream) AND topic = :topic
    """
    rows = ask(conn, query, consumer=topics.INCIDENT_ENGINE, stream=stream, topic=topics.RAW)
    return {part: Reached(next_offset, at) for part, next_offset, at in rows}
