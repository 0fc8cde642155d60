"""An ASGI app (FastAPI, Starlette) on every platform, with the same answers to failures."""

from __future__ import annotations

import asyncio
import sys
from time import monotonic
from types import FunctionType

from starlette.exceptions import HTTPException

from common.edge.answers import answer, guarded, problem, write
from common.edge.asgi import aside, headers_of, incoming, read
from common.edge.values import Request, Response
from common.errors import Misconfigured, Problem, Unavailable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from common.edge.values import App, Async, Message, Note, Receive, Scope, Send

# What the ASGI specification names. A host's own entries (functions-framework's router and path_params) would
# make the app look for its links in the host.
SPECIFIED = (
    "type", "asgi", "http_version", "method", "scheme", "path", "raw_path", "query_string", "root_path",
    "headers", "client", "server", "extensions",
)  # fmt: skip


def serve(name: str, app: App, note: Note) -> App:
    """The app behind the edge's guard, on an ASGI server."""

    async def limited(scope: Scope, receive: Receive, send: Send) -> None:
        body = await read(headers_of(scope), receive)
        await app(own_scope(scope), replayed(body, receive), send)

    async def served(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await aside(scope, receive, send)
            return
        started = monotonic()
        response = await guarded(limited, scope, receive, send)
        note(name, incoming(scope), response, started)

    return served


def in_process(app: App) -> Async:
    """The app as a handler, for hosts that have no ASGI: its whole answer is collected."""

    async def handle(request: Request) -> Response:
        sent: list[Message] = []

        async def collect(message: Message) -> None:
            sent.append(message)

        async def receive() -> Message:
            # For ever: an `http.disconnect` would cancel a streaming answer.
            message: Message = await asyncio.get_running_loop().create_future()
            return message

        ended = await guarded(app, scope_of(request), replayed(request.body, receive), collect)
        return collected(sent, ended)

    return handle


def collected(sent: list[Message], ended: Response) -> Response:
    """The answer, if the app finished it; half an answer must not look like a whole one."""
    if not sent or sent[-1].get("more_body"):
        return ended if ended.status >= 500 else answer(RuntimeError("the app did not finish its answer"))
    pairs = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in sent[0]["headers"]]
    body = b"".join(message.get("body", b"") for message in sent[1:])
    return Response(sent[0]["status"], body, pairs, ended.log)


def replayed(body: bytes, receive: Receive) -> Receive:
    """The body once, then whatever the host says."""
    waiting = [body]

    async def receiving() -> Message:
        if waiting:
            return {"type": "http.request", "body": waiting.pop(), "more_body": False}
        return await receive()

    return receiving


def own_scope(scope: Scope) -> Scope:
    """A copy with the specified entries only; HEAD becomes GET, and the server drops the body."""
    own = {key: scope[key] for key in SPECIFIED if key in scope}
    if own["method"] == "HEAD":
        own["method"] = "GET"
    return own


def scope_of(request: Request) -> Scope:
    headers = request.headers
    server = headers.get("host", "localhost").partition(":")
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": request.method,
        "scheme": headers.get("x-forwarded-proto", "https"),
        "path": request.root + request.path,
        "query_string": request.query.encode("latin-1"),
        "root_path": request.root,
        "headers": [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()],
        # The last hop is the one the platform itself added.
        "client": (headers.get("x-forwarded-for", "").rpartition(",")[2].strip(), 0),
        "server": (server[0], int(server[2]) if server[2].isdecimal() else 443),
    }


class Answer:
    """The edge's Response where Starlette expects one of its own."""

    def __init__(self, response: Response) -> None:
        self.response = response

    async def __call__(self, _scope: Scope, _receive: Receive, send: Send) -> None:
        await write(self.response, send)


def refuse_lifespan(app: Any) -> None:
    """What an app does at its start would be left out without a word: no function platform runs it."""
    if isinstance(app.router.lifespan_context, FunctionType) or getattr(app.router, "on_startup", None):
        raise Misconfigured("This app has a lifespan, and no function platform runs one: open clients on first use.")


def same_answers(app: Any) -> None:
    """Failures inside the app are answered as everywhere else; bugs are logged by the guard, which sees them again.

    An app for people has answers of its own.
    """
    for kind in (Problem, Unavailable, Exception):
        app.exception_handlers.setdefault(kind, _answered)
    app.add_exception_handler(HTTPException, _http_exception)
    if fastapi := sys.modules.get("fastapi.exceptions"):  # not imported for a Starlette app: 190 ms
        app.add_exception_handler(fastapi.RequestValidationError, _invalid)


async def _answered(_request: Any, error: Exception) -> Answer:
    return Answer(answer(error))


async def _http_exception(_request: Any, error: Any) -> Answer:
    """The app's own 404 and 405 keep their headers (`allow`)."""
    headers = list((error.headers or {}).items())
    if error.status_code in (204, 304):
        return Answer(Response(error.status_code, b"", headers))
    codes = {404: "not_found", 405: "method_not_allowed"}
    code = codes.get(error.status_code, f"http_{error.status_code}")
    return Answer(problem(error.status_code, code, str(error.detail), headers))


async def _invalid(_request: Any, error: Any) -> Answer:
    """Pydantic's list, each with its field; a body that is no JSON is 400 as in every other function."""
    errors = [{"field": ".".join(str(part) for part in one["loc"]), "detail": one["msg"]} for one in error.errors()]
    first = errors[0]
    if error.errors()[0]["type"] == "json_invalid":
        return Answer(problem(400, "bad_json", f"The body is not JSON: {first['detail']}."))
    more = {"field": first["field"], "errors": errors}
    return Answer(problem(422, "invalid", f"{first['field']}: {first['detail']}.", more=more))
