"""The few connections of one process: opened on first use, lent to one caller at a time, closed when idle."""

import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from common import settings
from common.clients.postgres import schema
from common.clients.postgres.connection import Connection
from common.errors import Unavailable

WAIT_SECONDS = 5.0
IDLE_SECONDS = 60.0


class Database:
    """At most so many connections, per process: after a fork the child opens its own."""

    def __init__(
        self,
        connections: int = 1,
        where: Callable[[], settings.Postgres] = lambda: settings.current().database,
        *,
        check_schema: bool = True,
    ) -> None:
        self._size, self._where, self._check_schema = connections, where, check_schema
        self._begin()

    @contextmanager
    def connection(self) -> Iterator[Connection]:
        """Lend one; whoever gets it has it alone until the block ends."""
        conn = self._take()
        try:
            yield conn
        finally:
            self._give_back(conn)

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        with self.connection() as conn, conn.transaction():
            yield conn

    def close(self) -> None:
        while self._idle:
            self._idle.pop().close()

    def _begin(self) -> None:
        self._pid = os.getpid()
        self._idle: list[Connection] = []
        self._free = threading.BoundedSemaphore(self._size)
        self._lock = threading.Lock()
        self._sweeping = False

    def _take(self) -> Connection:
        if os.getpid() != self._pid:  # forked: the parent's sockets are not ours to speak on
            self._begin()
        if not self._free.acquire(timeout=WAIT_SECONDS):
            raise Unavailable("Postgres", f"all {self._size} connections of this process were busy for 5 s")
        try:
            return self._reuse() or self._open()
        except BaseException:
            self._free.release()
            raise

    def _reuse(self) -> Connection | None:
        while self._idle:
            conn = self._idle.pop()
            if not conn.stale:
                return conn
            conn.close()
        return None

    def _open(self) -> Connection:
        conn = Connection(self._where())
        try:
            if self._check_schema:
                schema.check(*schema.look_up(conn))
                self._check_schema = False  # once a process: a migration only adds
        except BaseException:
            conn.close()
            raise
        return conn

    def _give_back(self, conn: Connection) -> None:
        if conn.broken:
            conn.close()
        else:
            self._idle.append(conn)
            self._sweep_later()
        self._free.release()

    def _sweep_later(self) -> None:
        with self._lock:
            if self._sweeping:
                return
            self._sweeping = True
        timer = threading.Timer(IDLE_SECONDS, self._sweep)
        timer.daemon = True
        timer.start()

    def _sweep(self) -> None:
        """Close what nobody used for a minute: an idle function must not hold a server's connection."""
        self._sweeping = False
        unused_since = time.monotonic() - IDLE_SECONDS
        for conn in [one for one in self._idle if one.used_at <= unused_since]:
            try:
                self._idle.remove(conn)
            except ValueError:  # lent out in this very moment
                continue
            conn.close()
        if self._idle:
            self._sweep_later()
