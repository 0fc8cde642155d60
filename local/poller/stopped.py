"""Keeps the table of stopped partitions, and sees who wants a record skipped.

In a thread of its own, because a database that is away must not hold up the stream.
"""

import threading
from collections.abc import Callable
from queue import SimpleQueue
from typing import NamedTuple

from common.clients.postgres import stops
from common.clients.postgres.database import Database
from common.clients.postgres.stops import Ask, Stop
from common.errors import Misconfigured, Unavailable
from local.poller.pace import Pace
from local.poller.voice import Voice

Asked = Callable[[Ask], None]
KEEP, FORGET = "keep", ""


class Note(NamedTuple):
    """KEEP, FORGET, or how it ended."""

    what: str
    stop: Stop
    asked: Asked | None = None


class Stopped:
    def __init__(self, database: Database, times: Pace | None = None) -> None:
        self.database, self._times = database, times or Pace()
        self._voice = Voice("all", self._times.shout)
        self._notes: SimpleQueue[Note | None] = SimpleQueue()
        self._standing: dict[tuple[str, int], Note] = {}
        self._unwritten: list[Note] = []
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="stops", daemon=True)
        self._thread.start()

    def keep(self, stop: Stop, asked: Asked) -> None:
        """It stands; `asked` is called with every wish to have a record of this station skipped."""
        self._notes.put(Note(KEEP, stop, asked))

    def end(self, stop: Stop, how: str) -> None:
        self._notes.put(Note(how, stop))

    def forget(self, stop: Stop) -> None:
        """Another member has the partition now."""
        self._notes.put(Note(FORGET, stop))

    def close(self) -> None:
        """What was noted is written, if the database is there."""
        self._closing.set()
        self._notes.put(None)
        self._thread.join(self._times.stop)
        self.database.close()

    def _run(self) -> None:
        while not self._closing.is_set():
            if not self._standing and not self._unwritten:
                self._take(self._notes.get())
            while not self._notes.empty():
                self._take(self._notes.get())
            self._write_and_ask()
            self._closing.wait(self._times.ask)

    def _take(self, note: Note | None) -> None:
        if note is None:
            return
        where = (note.stop.station, note.stop.partition)
        if note.what == KEEP:
            self._standing[where] = note
        else:
            self._standing.pop(where, None)
        if note.what != FORGET:
            self._unwritten.append(note)

    def _write_and_ask(self) -> None:
        if not self._unwritten and not self._standing:
            return
        try:
            with self.database.connection() as conn:
                while self._unwritten:
                    what, stop, _ = self._unwritten[0]
                    stops.keep(conn, stop) if what == KEEP else stops.end(conn, stop, what)
                    del self._unwritten[0]
                asked = {note.stop.station: note.asked for note in self._standing.values() if note.asked}
                for station, tell in asked.items():
                    for one in stops.asked(conn, station):
                        tell(one)
            self._voice.over("the table of stops")
        except (Unavailable, Misconfigured) as error:
            self._voice.lasts("the table of stops", str(error))
