"""Which topics have grown, asked once for all readers of a process, however many stations wait in it."""

import random
import threading
import time

from common.clients.postgres.connection import Connection
from common.errors import Unavailable
from common.settings import Postgres

# Give or take a third: nine of ten records are seen within 75 ms, and asking costs a percent of a core.
POLL_SECONDS = 0.05
ANSWER_SECONDS = 10.0
# Grows with every record: while it stays, there is no news.
TOTALS = "SELECT topic, sum(next) FROM stream_head GROUP BY topic"


class News:
    """A thread asks while somebody waits, and sets the event of whoever has something to read."""

    def __init__(self, settings: Postgres) -> None:
        self._settings = settings
        self._conn: Connection | None = None
        self._lock = threading.Lock()
        self._waiting: dict[threading.Event, tuple[str, int]] = {}
        self._thread: threading.Thread | None = None

    def wait(self, topic: str, seen: int, stir: threading.Event, timeout: float) -> None:
        """Until the topic holds more than `seen`, or somebody else sets the event, or the time is over."""
        with self._lock:
            self._waiting[stir] = topic, seen
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="news", daemon=True)
                self._thread.start()
        stir.wait(timeout)
        with self._lock:
            del self._waiting[stir]

    def close(self) -> None:
        """When nobody reads any more."""
        if thread := self._thread:
            thread.join()
        self._disconnect()

    def _run(self) -> None:
        while True:
            time.sleep(POLL_SECONDS * random.uniform(0.7, 1.3))  # noqa: S311 - spreads the polls of many processes
            totals = self._ask()
            with self._lock:
                if not self._waiting:
                    self._thread = None
                    return
                for stir, (topic, seen) in self._waiting.items():
                    if totals is None or totals.get(topic, 0) > seen:
                        stir.set()

    def _ask(self) -> dict[str, int] | None:
        """Nothing, if the database does not answer: then everybody looks for himself, and says so."""
        try:
            if self._conn is None:
                self._conn = Connection(self._settings, ANSWER_SECONDS)
            return {topic: int(total) for topic, total in self._conn.run(TOTALS)}
        except Unavailable:
            self._disconnect()
            return None

    def _disconnect(self) -> None:
        if self._conn:
            self._conn.close()
        self._conn = None
