"""One connection to Postgres: pg8000 with TCP_NODELAY, simple messages only, errors named for what to do."""

import select
import socket
import struct
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, cast

import pg8000.native
from pg8000.exceptions import DatabaseError, InterfaceError

from common.clients import tls
from common.clients.postgres.quoting import render
from common.errors import Misconfigured, Unavailable
from common.settings import Postgres

Row = list[Any]
# Ingest answers 503 within five seconds, and this is one part of them.
CONNECT_SECONDS = 3
# A database that accepted a statement and then froze is as unavailable as one that refuses connections.
ANSWER_SECONDS = 30.0
# SQLSTATEs that pass by themselves: connection, resources, shutdown or cancel, deadlock, lock time-out; and no such
# table, which is a partition that was dropped meanwhile: that our tables are there is asked of every new connection.
PASSING = ("08", "53", "57", "40", "55", "42P01")
SSL_REQUEST = struct.pack("!ii", 8, 80877103)
UNREACHABLE = (InterfaceError, OSError, struct.error)


class Conflict(Exception):
    """The database kept a promise: this constraint would have been broken."""

    def __init__(self, constraint: str, detail: str) -> None:
        super().__init__(f"{constraint}: {detail}")
        self.constraint = constraint


class Connection:
    """Statements go out as one simple message each, so that a transaction pooler never gets in the way."""

    def __init__(self, settings: Postgres, answer_seconds: float | None = ANSWER_SECONDS) -> None:
        self.broken = False
        self.used_at = time.monotonic()
        self._open = False
        settings = settings.now()
        try:
            self._raw = _connect(settings, answer_seconds)
        except UNREACHABLE as error:
            hint = " (or it wants TLS, and hangs up on PG_SSLMODE=disable)" if settings.sslmode == "disable" else ""
            hung_up = hint if isinstance(error, InterfaceError) else ""
            raise Unavailable("Postgres", f"{settings.host}:{settings.port}: {error}{hung_up}") from error
        except DatabaseError as error:
            raise Unavailable("Postgres", _message(error)) from error
        if self._raw.parameter_statuses.get("standard_conforming_strings") != "on":
            raise Misconfigured("Postgres has standard_conforming_strings off; our quoting needs it on (the default).")

    def run(self, sql: str, **values: object) -> list[Row]:
        """Run one statement, its :names replaced by quoted values."""
        return self.simple(render(sql, values) if values else sql)

    def simple(self, text: str) -> list[Row]:
        """Send one message of one or more statements; the rows of all of them come back as one list."""
        self.used_at = time.monotonic()
        self._raw.last_words = ""
        try:
            return list(self._raw.execute_simple(text).rows or ())
        except UNREACHABLE as error:
            self.broken = True
            raise Unavailable("Postgres", self._raw.last_words or str(error)) from error
        except DatabaseError as error:
            raise self._translated(error) from error

    @contextmanager
    def transaction(self) -> Iterator["Connection"]:
        """Everything inside is committed together, or not at all; a transaction inside one joins it."""
        if self._open:
            yield self
            return
        self.simple("BEGIN")
        self._open = True
        try:
            yield self
        except BaseException:
            self._open = False
            self.rollback()
            raise
        self._open = False
        self.simple("COMMIT")

    def answer_within(self, seconds: float) -> None:
        """From now on, a server that is silent for longer counts as lost."""
        self._raw._usock.settimeout(seconds)

    def rollback(self) -> None:
        """Leave no failed transaction behind; a connection that cannot even do that is dropped."""
        if not self.broken:
            with suppress(Unavailable):
                self.simple("ROLLBACK")

    @property
    def stale(self) -> bool:
        """An idle connection on which the server has said something has been told goodbye."""
        return self.broken or bool(select.select([self._raw._usock], [], [], 0)[0])

    def close(self) -> None:
        self.broken = True
        with suppress(*UNREACHABLE):
            self._raw.close()

    def _translated(self, error: DatabaseError) -> Exception:
        said = error.args[0] if error.args and isinstance(error.args[0], dict) else {}
        code = str(said.get("C", ""))
        if code.startswith("57P"):  # the server is going away, and this connection with it
            self.broken = True
        if code.startswith(PASSING):
            return Unavailable("Postgres", _message(error))
        if code.startswith("23"):
            return Conflict(str(said.get("n", "")), _message(error))
        return cast(Exception, error)


class _Raw(pg8000.native.Connection):  # type: ignore[misc]
    """Keeps what a server said before it hung up; that, and not the hanging up, is the reason."""

    last_words = ""

    def handle_ERROR_RESPONSE(self, data: Any, context: Any) -> None:  # noqa: N802 - the driver's name
        super().handle_ERROR_RESPONSE(data, context)
        self.last_words = _message(context.error)


def _connect(settings: Postgres, answer_seconds: float | None) -> _Raw:
    """The socket is ours, so that it can be set up, secured, and closed when the login fails."""
    sock = _socket(settings)
    try:
        sock = sock if settings.sslmode == "disable" else _secured(sock, settings)
        raw = _Raw(
            settings.user,
            sock=sock,
            database=settings.database,
            password=settings.password.reveal(),
            ssl_context=False,  # None would mean: TLS if the server likes, verified by nobody
            application_name="signals",
        )
    except BaseException:
        sock.close()
        raise
    sock.settimeout(answer_seconds)
    return raw


def _socket(settings: Postgres) -> socket.socket:
    if settings.host.startswith("/"):
        sock = socket.socket(socket.AF_UNIX)
        sock.settimeout(CONNECT_SECONDS)
        sock.connect(f"{settings.host}/.s.PGSQL.{settings.port}")
        return sock
    sock = socket.create_connection((settings.host, settings.port), CONNECT_SECONDS)
    # pg8000 never sets it: messages of some sizes would wait 44 ms for the other side's delayed ACK.
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    return sock


def _secured(sock: socket.socket, settings: Postgres) -> socket.socket:
    """Ask for TLS as Postgres wants to be asked; a server that has none is refused, never spoken to in plain text."""
    sock.sendall(SSL_REQUEST)
    if sock.recv(1) != b"S":
        raise InterfaceError(f"the server speaks no TLS, and PG_SSLMODE is {settings.sslmode}")
    context = tls.context(settings.ca, "PG_CA_CERT", check_host=settings.sslmode != "verify-ca")
    return context.wrap_socket(sock, server_hostname=settings.host)


def _message(error: DatabaseError) -> str:
    said = error.args[0] if error.args else error
    return f"{said.get('M', said)} ({said.get('C', '?')})" if isinstance(said, dict) else str(said)
