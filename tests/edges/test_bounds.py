"""What comes over a socket and is no ordinary request: too much, half of one, in pieces, twice, or no HTTP."""

import json
import socket
from collections.abc import Iterable
from http.client import HTTPConnection
from typing import Any

import pytest

from common.edge.run import wait
from common.edge.values import BODY_LIMIT
from local.hosts.web import Web
from tests.edges import sample_http, sample_starlette
from tests.edges.conftest import Hosts, listen

WEB = ("functions-framework", "uvicorn")


def web(hosts: Hosts, kind: str, sample: str = "http") -> Web:
    host = hosts(kind, sample)
    assert isinstance(host, Web)
    return host


def in_pieces(host: Web, pieces: Iterable[bytes]) -> tuple[int, bytes]:
    """A chunked upload: no length is announced."""
    connection = HTTPConnection("127.0.0.1", host.port, timeout=20)
    connection.request("POST", "/x", iter(pieces), {"content-type": "application/octet-stream"}, encode_chunked=True)
    response = connection.getresponse()
    status, body = response.status, response.read()
    connection.close()
    return status, body


@pytest.mark.parametrize("kind", WEB)
@pytest.mark.parametrize("sample", ["http", "starlette"])
def test_a_body_in_pieces_is_counted(hosts: Hosts, kind: str, sample: str) -> None:
    piece = b"x" * (BODY_LIMIT // 8)
    within, _ = in_pieces(web(hosts, kind, sample), [piece] * 8)
    over, body = in_pieces(web(hosts, kind, sample), [piece] * 8 + [b"x"])
    assert (within, over) == (200 if sample == "http" else 404, 413)
    assert b'"code": "too_large"' in body


@pytest.mark.parametrize("kind", WEB)
def test_an_announced_body_over_the_limit_is_refused_unread(hosts: Hosts, kind: str) -> None:
    with socket.create_connection(("127.0.0.1", web(hosts, kind).port), timeout=10) as caller:
        caller.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9000000\r\n\r\n")  # and never sends it
        assert caller.recv(100).startswith(b"HTTP/1.1 413 ")


@pytest.mark.parametrize("kind", WEB)
@pytest.mark.parametrize("sample", ["http", "starlette"])
def test_a_caller_that_hangs_up_is_one_line_and_no_traceback(hosts: Hosts, kind: str, sample: str) -> None:
    log = listen(web(hosts, kind, sample))
    with socket.create_connection(("127.0.0.1", web(hosts, kind, sample).port), timeout=10) as caller:
        caller.sendall(b"POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nhalf")
    (line,) = log.new()
    assert (line["code"], line["level"]) == ("hung_up", "warn")


def talk(app: Any, scope: dict[str, Any], *messages: dict[str, Any]) -> list[dict[str, Any]]:
    """What an ASGI app sends."""
    given, sent = list(messages), []

    async def receive() -> dict[str, Any]:
        return given.pop(0)

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    wait(app(scope, receive, send))
    return sent


@pytest.mark.parametrize("app", [sample_http.asgi, sample_starlette.asgi])
def test_a_lifespan_is_answered_and_not_passed_on(app: Any) -> None:
    sent = talk(app, {"type": "lifespan"}, {"type": "lifespan.startup"}, {"type": "lifespan.shutdown"})
    assert [message["type"] for message in sent] == ["lifespan.startup.complete", "lifespan.shutdown.complete"]


@pytest.mark.parametrize("app", [sample_http.asgi, sample_starlette.asgi])
def test_a_websocket_is_closed(app: Any) -> None:
    assert talk(app, {"type": "websocket", "path": "/"}) == [{"type": "websocket.close"}]


def test_headers_that_came_twice_are_joined_and_a_mount_is_cut_off_the_path() -> None:
    headers = [(b"x-twice", b"1"), (b"cookie", b"a=b"), (b"x-twice", b"2"), (b"cookie", b"c=d")]
    scope = {
        "type": "http", "method": "GET", "path": "/mounted/x", "root_path": "/mounted", "query_string": b"",
        "headers": headers,
    }  # fmt: skip
    _, body = talk(sample_http.asgi, scope, {"type": "http.request"})
    said = json.loads(body["body"])
    assert said["headers"] == {"x-twice": "1, 2", "cookie": "a=b; c=d"}
    assert said["path"] == "/x"
