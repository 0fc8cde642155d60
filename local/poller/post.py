"""POSTing to one address, over connections that are kept: what came back, or that nothing did."""

import select
import socket
import ssl
import time
from contextlib import suppress
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import NamedTuple
from urllib.parse import urlsplit

CONNECT_SECONDS = 3.0
# Servers close idle connections, some after two seconds; a request must not meet one at that very moment.
KEEP_SECONDS = 1.0
LONGEST_ANSWER = 1024 * 1024


class Reply(NamedTuple):
    status: int
    retry_after: str
    body: bytes


class Unreachable(Exception):
    """It was not given the request."""


class BrokenOff(Exception):
    """It may have been given the request, and did not answer."""


class Address:
    def __init__(self, url: str, key: str, timeout: float, *, key_in: str = "x-internal-key") -> None:
        self.url, self.timeout = url, timeout
        self._at = urlsplit(url)
        self._target = (self._at.path or "/") + (f"?{self._at.query}" if self._at.query else "")
        self._headers = {"content-type": "application/json"} | ({key_in: key} if key else {})
        self._idle: list[tuple[HTTPConnection, float]] = []

    def post(self, body: bytes) -> Reply:
        """From any thread; each has a connection of its own while it waits."""
        conn = self._kept() or self._connected()
        try:
            reply = self._answered(conn, body)
        except (OSError, HTTPException) as error:
            conn.close()
            raise BrokenOff(self._words(error)) from error
        self._idle.append((conn, time.monotonic()))
        return reply

    def close(self) -> None:
        while self._idle:
            self._idle.pop()[0].close()

    def _answered(self, conn: HTTPConnection, body: bytes) -> Reply:
        with suppress(BrokenPipeError, ConnectionResetError):  # one that refuses may answer before it has read all
            conn.request("POST", self._target, body, self._headers)
        response = conn.getresponse()
        reply = Reply(response.status, response.getheader("retry-after", "").strip(), response.read(LONGEST_ANSWER))
        if not response.isclosed():  # a longer answer than any of ours
            conn.close()
        return reply

    def _kept(self) -> HTTPConnection | None:
        while self._idle:
            conn, used = self._idle.pop()
            if conn.sock and time.monotonic() - used < KEEP_SECONDS and not select.select([conn.sock], [], [], 0)[0]:
                return conn
            conn.close()
        return None

    def _connected(self) -> HTTPConnection:
        host = self._at.hostname or ""
        conn = (
            HTTPSConnection(host, self._at.port, timeout=CONNECT_SECONDS, context=ssl.create_default_context())
            if self._at.scheme == "https"
            else HTTPConnection(host, self._at.port, timeout=CONNECT_SECONDS)
        )
        try:
            conn.connect()
        except OSError as error:
            conn.close()
            raise Unreachable(f"{self.url}: {error}") from error
        assert isinstance(conn.sock, socket.socket)
        conn.sock.settimeout(self.timeout)
        return conn

    def _words(self, error: Exception) -> str:
        if isinstance(error, TimeoutError):
            return f"no answer within {self.timeout:g} s"
        return f"it broke off: {type(error).__name__}: {error}"
