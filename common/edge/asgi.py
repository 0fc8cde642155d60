"""Plain ASGI, and so functions-framework in its async flavour and uvicorn."""

from __future__ import annotations

import asyncio
from time import monotonic

from common.edge.answers import outcome, write
from common.edge.bodies import too_large
from common.edge.run import on_loop
from common.edge.values import BODY_LIMIT, Request, Response
from common.errors import Problem

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from common.edge.values import App, Async, Gate, Handle, Note, Receive, Scope, Send


def serve(name: str, handle: Handle, gate: Gate, note: Note) -> App:
    """The handler as an ASGI app. The gate sees the headers before the body is read."""
    waiting = handle if on_loop(handle) else in_thread(handle)

    async def work(request: Request, receive: Receive) -> Response:
        gate(request.headers)
        request.body = await read(request.headers, receive)
        return await waiting(request)

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await aside(scope, receive, send)
            return
        started = monotonic()
        request = incoming(scope)
        response = await outcome(work, request, receive)
        note(name, request, response, started)  # first: a host may be frozen once it has answered
        await write(response, send)

    return app


def in_thread(handle: Callable[[Request], Response]) -> Async:
    """A plain handler would hold up every other request of the process; it runs in the loop's thread pool."""

    async def handled(request: Request) -> Response:
        return await asyncio.get_running_loop().run_in_executor(None, handle, request)

    return handled


def incoming(scope: Scope) -> Request:
    root = scope.get("root_path", "")
    path = scope["path"].removeprefix(root) if root else scope["path"]
    method = "GET" if scope["method"] == "HEAD" else scope["method"]  # the server drops the body
    return Request(method, path or "/", scope["query_string"].decode("latin-1"), headers_of(scope), root=root)


def headers_of(scope: Scope) -> dict[str, str]:
    """Header names are lower case already; those that came twice are joined as AWS does."""
    pairs = scope["headers"]
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in pairs}
    if len(headers) < len(pairs):
        for name in headers:
            same = [value.decode("latin-1") for other, value in pairs if other.decode("latin-1") == name]
            headers[name] = ("; " if name == "cookie" else ", ").join(same)
    return headers


async def read(headers: dict[str, str], receive: Receive) -> bytes:
    """The whole body, up to the limit; what was announced is refused unread."""
    announced = headers.get("content-length", "0")
    if announced.isdecimal() and int(announced) > BODY_LIMIT:
        raise too_large()
    message = await receive()
    body: bytes = message.get("body", b"")
    if message["type"] == "http.request" and not message.get("more_body"):
        return body
    return await _rest(message, receive)


async def _rest(message: Scope, receive: Receive) -> bytes:
    parts, size = [], 0
    while message["type"] == "http.request":
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        if size > BODY_LIMIT:
            raise too_large()
        if not message.get("more_body"):
            return b"".join(parts)
        message = await receive()
    raise Problem("hung_up", "The caller went away before its body was complete.", status=400)


async def aside(scope: Scope, receive: Receive, send: Send) -> None:
    """Lifespan is answered here and never passed on, since no other platform has one; websockets are closed."""
    if scope["type"] == "websocket":
        await send({"type": "websocket.close"})
    while scope["type"] == "lifespan":
        kind = (await receive())["type"]
        await send({"type": f"{kind}.complete"})
        if kind == "lifespan.shutdown":
            return
