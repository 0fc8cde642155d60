"""The way to a store that a soak makes slow: nothing is lost or changed on it, and it is slow only while it is told."""

import socket
import threading
import time
from collections.abc import Iterator

import pytest

from local.soak.network import Way


@pytest.fixture
def echo() -> Iterator[int]:
    """A server that sends back whatever one client says, and hangs up when that one does."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=serve, args=(server,), daemon=True).start()
        yield server.getsockname()[1]


def serve(server: socket.socket) -> None:
    conn, _ = server.accept()
    with conn:
        while said := conn.recv(65536):
            conn.sendall(said)


def test_a_slow_way_holds_back_each_piece_and_loses_nothing(echo: int) -> None:
    way = Way(lambda: echo)
    with socket.create_connection(("127.0.0.1", way.port)) as conn:
        assert asked(conn, b"x" * 100_000) == b"x" * 100_000
        way.seconds, began = 0.05, time.monotonic()
        assert asked(conn, b"slow") == b"slow"
        assert time.monotonic() - began >= 2 * way.seconds
    way.close()


def test_a_store_that_is_away_hangs_up() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        nobody = server.getsockname()[1]
    way = Way(lambda: nobody)
    with socket.create_connection(("127.0.0.1", way.port)) as conn:
        assert conn.recv(1) == b""
    way.close()


def asked(conn: socket.socket, said: bytes) -> bytes:
    conn.sendall(said)
    heard = b""
    while len(heard) < len(said):
        heard += conn.recv(65536)
    return heard
