"""What the edge itself costs a call, against the bare function in the same run: python -m local.bench.edges

CPU time of one process; edge and bare function take turns, and the quietest turn of each counts, since others
share the machine. Every bench's targets are meant for a machine on which functions-framework with a handler written
by hand costs 23 us a call.
"""

from __future__ import annotations

import json
import os
import sys
from base64 import b64encode
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import redirect_stderr
from time import process_time_ns
from typing import Any, NamedTuple

from starlette.applications import Starlette
from starlette.requests import Request as StarletteRequest
from starlette.responses import Response as StarletteResponse
from starlette.routing import Route

from common import edge
from common.edge.asgi import serve
from common.edge.keys import anyone
from common.edge.notes import sampled
from common.edge.records import from_event, from_json
from common.edge.run import wait
from common.edge.values import Request, Response
from local.bench.figure import Figure
from local.bench.run import Words, main
from local.hosts import aws, openwhisk

TYPE_CHECKING = False
if TYPE_CHECKING:
    from common.edge.values import App, Message, Scope

BODY = b'{"event_type":"error","occurred_at":"2026-03-01T12:00:00Z","message":"%s"}' % (b"x" * 430)
HEADERS = {f"x-header-{number}": "a value of a usual length" for number in range(8)} | {
    "content-type": "application/json",
    "content-length": str(len(BODY)),
}
ANSWER = [("content-type", "application/json")]
ROUNDS, CALLS, RECORDS = 25, 1_000, 500
UNIT = "µs of CPU"
REFERENCE = 23.1

Calls = Callable[[int], object]  # so many calls


class Compared(NamedTuple):
    what: str
    whole: float
    bare: float
    allowed: float

    @property
    def own(self) -> float:
        return self.whole - self.bare

    def figure(self) -> Figure:
        """Beside the bare call, if there is one."""
        note = f"{self.whole:.2f} with the edge, {self.bare:.2f} without" if self.bare else ""
        return Figure(what=self.what, value=self.own, unit=UNIT, target=self.allowed, most=True, note=note)


def plain(_request: Request) -> Response:
    return Response(202, b'{"event_id":"0195"}', ANSWER)


async def awaited(request: Request) -> Response:
    return plain(request)


async def by_hand(request: StarletteRequest) -> StarletteResponse:
    """What somebody would write for functions-framework without an edge."""
    await request.body()
    return StarletteResponse(b'{"event_id":"0195"}', 202, dict(ANSWER))


def starlette() -> Starlette:
    return Starlette(routes=[Route("/v1/events", by_hand, methods=["POST"])])


def compared(what: str, whole: Calls, bare: Calls, allowed: float, calls: int = CALLS) -> Compared:
    """Both in turns, microseconds of CPU a call."""
    turns = [(_cost(whole, calls), _cost(bare, calls)) for _ in range(ROUNDS)]
    return Compared(what, min(turn[0] for turn in turns), min(turn[1] for turn in turns), allowed)


def _cost(call: Calls, calls: int) -> float:
    before = process_time_ns()
    call(calls)
    return (process_time_ns() - before) / calls / 1000


def repeated(call: Callable[[], object]) -> Calls:
    def calls(count: int) -> None:
        for _ in range(count):
            call()

    return calls


def served(app: App) -> Calls:
    """An ASGI app, called as a server calls it."""
    call = called(app, "/v1/events", HEADERS, BODY)

    async def calls(count: int) -> None:
        for _ in range(count):
            await call()

    return lambda count: wait(calls(count))


def called(app: App, path: str, given: Mapping[str, str], body: bytes) -> Callable[[], Awaitable[None]]:
    """One POST; its answer is thrown away."""
    headers = [(name.encode(), value.encode()) for name, value in given.items()]
    scope: Scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "POST", "scheme": "http",
        "path": path, "raw_path": path.encode(), "query_string": b"", "root_path": "", "headers": headers,
        "client": ("127.0.0.1", 1), "server": ("127.0.0.1", 2), "state": {},
    }  # fmt: skip

    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(_message: Message) -> None:
        pass

    async def call() -> None:
        await app(dict(scope), receive, send)

    return call


def in_framework(function: Callable[[Any], object]) -> Calls:
    return served(framework(function))


def framework(function: Callable[[Any], object]) -> App:
    """The app functions-framework builds around one function."""
    from functions_framework import aio

    build: Callable[..., App] = aio._create_asgi_app_with_function
    return build(function, "http", False)


def batch() -> dict[str, Any]:
    value, key = b64encode(BODY).decode(), b64encode(b"acme|shop|E_PAY|/checkout").decode()
    common = {"topic": "t", "partition": 0, "timestamp": 1_772_366_400_000, "key": key, "value": value, "headers": []}
    return {"records": {"t-0": [{**common, "offset": offset} for offset in range(RECORDS)]}}


def compared_all(calls: int) -> list[Compared]:
    event = aws.http_event("POST", "/v1/events", HEADERS, BODY)
    action = openwhisk.http_event("POST", "/v1/events", HEADERS, BODY)
    request = Request("POST", "/v1/events", "", HEADERS, BODY)
    _, _, on_aws, on_openwhisk = edge.http(plain)
    app_asgi, _, app_aws, app_openwhisk = edge.app(starlette())
    bare, bare_app = repeated(lambda: plain(request)), served(starlette())
    asgi = serve("bench", awaited, anyone, sampled)

    async def gcp(_request: object) -> App:
        return asgi

    return [
        compared("functions-framework, awaited", in_framework(gcp), in_framework(by_hand), 2.0, calls),
        compared("AWS, plain handler", repeated(lambda: on_aws(event, None)), bare, 10.0, calls),
        compared("DigitalOcean, plain handler", repeated(lambda: on_openwhisk(action)), bare, 10.0, calls),
        compared("AWS, app", repeated(lambda: app_aws(event, None)), bare_app, 60.0, calls),
        compared("DigitalOcean, app", repeated(lambda: app_openwhisk(action)), bare_app, 60.0, calls),
        compared("ASGI, app", served(app_asgi), bare_app, 60.0, calls),
        *decoding(),
    ]


def decoding() -> list[Compared]:
    """A record of a batch of five hundred."""
    given = batch()
    body = json.dumps(given).encode()

    def a_record(what: str, call: Callable[[], object]) -> Compared:
        one = compared(what, repeated(call), lambda _count: None, 1.0, 20)
        return one._replace(whole=one.whole / RECORDS, bare=0.0)

    return [
        a_record("Kafka batch POSTed, a record", lambda: from_json(body)),
        a_record("Kafka batch on AWS, a record", lambda: from_event(given)),
    ]


def slower(rounds: int = 40) -> float:
    """How many times as long this machine takes as the one the targets are meant for."""
    return min(_cost(in_framework(by_hand), CALLS) for _ in range(rounds)) / REFERENCE


def figures(words: Words) -> Iterator[Figure]:
    with open(os.devnull, "w") as nowhere, redirect_stderr(nowhere):  # the log is not what is measured
        found = compared_all(words.rounds(CALLS, CALLS // 5))
    yield from (one.figure() for one in found)


if __name__ == "__main__":
    sys.exit(main("edges", __doc__, figures))
