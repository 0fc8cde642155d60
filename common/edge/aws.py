"""AWS Lambda: API Gateway's HTTP events (payload 2.0) and function URLs; any other event goes to `elsewise`."""

from __future__ import annotations

from time import monotonic

from common.edge import notes
from common.edge.answers import answer, outcome
from common.edge.bodies import decoded, encoded, is_text, unescaped
from common.edge.run import awaitable, runner
from common.edge.values import Request, Response, folded
from common.errors import Misconfigured

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from common.edge.values import Gate, Handle, Note

    Event = dict[str, Any]
    Aws = Callable[[Any, Any], object]


NOT_2_0 = "HTTP events must have payload format 2.0: use an HTTP API or a function URL."


class Failed(Exception):
    """Lambda's own word for an invocation that must come again; the log line before it has the reason."""


def entry(name: str, handle: Handle, gate: Gate, note: Note, elsewise: Callable[[Any], object]) -> Aws:
    """The handler as a Lambda function."""
    waiting, run = awaitable(handle), runner(handle)

    async def work(request: Request, event: Event) -> Response:
        gate(request.headers)
        request.body = decoded(event.get("body"), event.get("isBase64Encoded"))
        return await waiting(request)

    def aws(event: Any, context: Any) -> object:  # noqa: ARG001  the names the platform documents
        try:
            return invoked(event)
        finally:
            notes.added(name)

    def invoked(event: Any) -> object:
        started = monotonic()
        if not is_http(event):
            return elsewise(event)
        if event.get("version") != "2.0":
            response = answer(Misconfigured(NOT_2_0))
            notes.event(name, response, started)
            return outgoing(response)
        request = incoming(event)
        response = run(outcome(work, request, event))
        note(name, request, response, started)
        return outgoing(response, with_body=event["requestContext"]["http"]["method"] != "HEAD")

    return aws


def is_http(event: Any) -> bool:
    """Whoever comes through a gateway is a caller, whatever the event's version: never an event source."""
    return isinstance(event, dict) and ("requestContext" in event or "httpMethod" in event)


def incoming(event: Event) -> Request:
    """A named stage is the place we are mounted at; AWS has taken cookies out of the headers and joined the rest."""
    context = event["requestContext"]
    http, stage, path = context["http"], context.get("stage", "$default"), event["rawPath"]
    root = f"/{stage}" if stage != "$default" and f"{path}/".startswith(f"/{stage}/") else ""
    headers = {name.lower(): value for name, value in event.get("headers", {}).items()}
    if cookies := event.get("cookies"):
        headers["cookie"] = "; ".join(cookies)
    method = "GET" if http["method"] == "HEAD" else http["method"]
    return Request(method, unescaped(path[len(root) :]) or "/", event.get("rawQueryString", ""), headers, b"", root)


def outgoing(response: Response, *, with_body: bool = True) -> Event:
    """Text where it is text, base64 where not."""
    headers, cookies = folded(response.headers)
    body, is_base64 = _body(response, headers) if with_body else ("", False)
    return {
        "statusCode": response.status,
        "headers": headers,
        "cookies": cookies,
        "body": body,
        "isBase64Encoded": is_base64,
    }


def _body(response: Response, headers: dict[str, str]) -> tuple[str, bool]:
    if "content-encoding" not in headers and is_text(headers.get("content-type", "text/plain")):
        try:
            return response.body.decode(), False
        except UnicodeDecodeError:
            pass  # another charset: its bytes must arrive as they are
    return encoded(response.body), True
