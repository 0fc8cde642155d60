"""Publishing to the log in Postgres: one queue, one thread, one connection; what waits together is committed together.

There is no lingering: a commit takes what arrived while the one before it was on its way.
"""

import os
import threading
import time
from collections import deque
from collections.abc import Sequence

from common.clients.postgres.database import Database
from common.clients.stream import Item, check_sizes
from common.clients.stream.pending import Pending, end
from common.clients.stream.postgres_writer import Call, Writer, unfinished
from common.errors import Misconfigured, Unavailable

COMMIT_RECORDS, COMMIT_BYTES = 500, 512 * 1024
QUEUE_RECORDS, QUEUE_BYTES = 20_000, 32 * 1024 * 1024
# From the call to the answer; ingest promises a 503 within five seconds.
GIVE_UP_SECONDS = 4.0


class Publisher:
    """One per process; after a fork the child begins with an empty queue, a thread and a connection of its own."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._thread: threading.Thread | None
        self._begin()

    def publish(self, topic: str, items: Sequence[Item]) -> Pending:
        if os.getpid() != self._pid:
            self._begin()
        call = Call(topic, items, check_sizes(topic, items), time.monotonic())
        with self._changed:
            if self._records + len(items) > QUEUE_RECORDS or self._bytes + call.size > QUEUE_BYTES:
                raise Unavailable("Postgres", f"{self._records} records wait to be written already", retry_after=1)
            self._queue.append(call)
            self._records += len(items)
            self._bytes += call.size
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="publisher", daemon=True)
                self._thread.start()
            self._changed.notify()
        return call

    def close(self) -> None:
        """Write what waits, then let go of the connection."""
        with self._changed:
            self._closing = True
            self._changed.notify()
        if self._thread and os.getpid() == self._pid:
            self._thread.join(GIVE_UP_SECONDS)
        self._database.close()

    def _begin(self) -> None:
        self._pid = os.getpid()
        self._queue: deque[Call] = deque()
        self._records = self._bytes = 0
        self._changed = threading.Condition()
        self._thread = None
        self._closing = False
        self._writer = Writer()

    def _run(self) -> None:
        try:
            self._pump()
        finally:  # closed, or ended by a bug: then nobody may wait for ever, and the next call starts another thread
            with self._changed:
                self._thread = None
                left = self._take_all()
            end(left, Unavailable("Postgres", "the publisher ended; see its traceback"))

    def _pump(self) -> None:
        while calls := self._take():
            try:
                self._commit(calls)
            except (Unavailable, Misconfigured) as error:
                # Those who wait behind would only wait longer for the same answer.
                with self._changed:
                    calls += self._take_all()
                end(unfinished(calls), error)
            finally:
                end(unfinished(calls), Unavailable("Postgres", "the publisher ended; see its traceback"))

    def _commit(self, calls: list[Call]) -> None:
        with self._database.connection() as conn:
            conn.answer_within(max(0.5, calls[0].since + GIVE_UP_SECONDS - time.monotonic()))
            self._writer.write(conn, calls)

    def _take(self) -> list[Call]:
        """What goes into the next commit, in order of arrival; nothing once closed and empty."""
        with self._changed:
            while not self._queue and not self._closing:
                self._changed.wait()
            calls: list[Call] = []
            records = size = 0
            while self._queue:
                records += len(self._queue[0].items)
                size += self._queue[0].size
                if calls and (records > COMMIT_RECORDS or size > COMMIT_BYTES):
                    break
                calls.append(self._remove())
            return calls

    def _take_all(self) -> list[Call]:
        return [self._remove() for _ in range(len(self._queue))]

    def _remove(self) -> Call:
        call = self._queue.popleft()
        self._records -= len(call.items)
        self._bytes -= call.size
        return call
