"""A member's share of its group's partitions in Postgres: leases kept alive by a heart of its own, fenced by an epoch.

The database's clock alone says when a lease ends. A member that cannot reach it stops by itself before that.
"""

import threading
import time
from contextlib import suppress
from uuid import uuid4

import msgspec

from common.clients.postgres.connection import Connection
from common.clients.stream import no_such_topic
from common.errors import Unavailable
from common.settings import Postgres

BEAT_SECONDS, LEASE_SECONDS = 1.0, 6
# By our own clock: earlier than the lease ends by the database's, whatever the beat took.
STOP_SECONDS = 5.0
# Nobody has called `read` for so long: whoever did is stuck, and a heart that beats on would hide it.
STUCK_SECONDS = 30.0
BEGINNING = "-infinity"

JOIN = """
    INSERT INTO stream_lease (grp, topic, part) SELECT :grp, topic, part FROM stream_head WHERE topic = :topic
    ON CONFLICT DO NOTHING
"""
LEAVE = """
    UPDATE stream_lease SET until = '-infinity' WHERE grp = :grp AND topic = :topic AND member = :member;
    DELETE FROM stream_member WHERE grp = :grp AND (member = :member OR seen < clock_timestamp() - interval '1 day')
"""
BEAT = "SELECT part, epoch, next, ours FROM stream_beat(:grp, :topic, :member)"


class Lease(msgspec.Struct):
    """A partition that is ours: `next` comes next, `day` is where to look for it, `read` is how far we ever got."""

    epoch: int
    next: int
    read: int
    day: str = BEGINNING
    paused: bool = False


class Leases:
    """What is ours right now, and the heart that keeps it. `statements` is held while anything locks lease rows."""

    def __init__(self, settings: Postgres, topic: str, group: str, stir: threading.Event) -> None:
        self.names: dict[str, object] = {"grp": group, "topic": topic, "member": uuid4()}
        self.statements = threading.Lock()  # so that our own beat and commit never wait for each other's rows
        self._settings, self._stir = settings, stir
        self._conn: Connection | None = None
        self._held: dict[int, Lease] = {}
        self._swap = threading.Lock()
        self._good = self._asked = time.monotonic()
        self._stopped = threading.Event()
        self._join(topic)
        self._beat()
        self._heart = threading.Thread(target=self._run, name="heart", daemon=True)
        self._heart.start()

    def held(self) -> dict[int, Lease]:
        """What is surely ours at this moment: nothing, if the last good beat is too long ago."""
        self._asked = time.monotonic()
        if self._asked - self._good > STOP_SECONDS:
            self.forget()
        return self._held

    def forget(self) -> None:
        """Drop all positions; the next beat takes them from what is committed."""
        with self._swap:
            self._held = {}

    def leave(self) -> None:
        """Let the others have our partitions now; if the database cannot be told, they end by themselves."""
        self._stopped.set()
        self._heart.join()
        with suppress(Unavailable):
            self._connection().run(LEAVE, **self.names)
        self._disconnect()

    def _run(self) -> None:
        while not self._stopped.wait(BEAT_SECONDS):
            if time.monotonic() - self._asked < STUCK_SECONDS:
                try:
                    self._beat()
                except Unavailable:
                    self._disconnect()  # `held` notices when it has been so for too long

    def _join(self, topic: str) -> None:
        if not self._connection().run("SELECT 1 FROM stream_head WHERE topic = :topic LIMIT 1", topic=topic):
            self._disconnect()
            raise no_such_topic(topic)
        self._connection().run(JOIN, **self.names)

    def _beat(self) -> None:
        began = time.monotonic()
        with self.statements:
            rows = self._connection().run(BEAT, **self.names)
        with self._swap:
            before, self._held = self._held, {}
            for part, epoch, committed, ours in rows:
                if ours:
                    known = before.get(part)
                    self._held[part] = known if known and known.epoch == epoch else Lease(epoch, committed, committed)
        self._good = began
        if self._held != before:
            self._stir.set()

    def _connection(self) -> Connection:
        if self._conn is None:
            self._conn = Connection(self._settings, STOP_SECONDS)
        return self._conn

    def _disconnect(self) -> None:
        if self._conn:
            self._conn.close()
        self._conn = None
