"""DigitalOcean Functions (`web: raw`) and any OpenWhisk; an invocation that is no HTTP goes to `elsewise`."""

from __future__ import annotations

import os
from functools import cache
from time import monotonic

from common.edge import notes
from common.edge.answers import outcome
from common.edge.bodies import decoded, encoded, is_text, unescaped
from common.edge.run import awaitable, runner
from common.edge.values import Request, Response, folded

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from common.edge.values import Gate, Handle, Note

    Event = dict[str, Any]
    Main = Callable[..., Event]


def entry(name: str, handle: Handle, gate: Gate, note: Note, elsewise: Callable[[Event], Response]) -> Main:
    """The handler as `main(event, context)`; the public OpenWhisk launcher gives only the event."""
    waiting, run = awaitable(handle), runner(handle)

    async def work(request: Request, http: Event) -> Response:
        gate(request.headers)
        request.body = decoded(http.get("body"), http.get("isBase64Encoded"))
        return await waiting(request)

    def main(event: Event, context: Any = None) -> Event:  # noqa: ARG001  the names the platform documents
        answer = invoked(event)
        notes.added(name)
        return answer

    def invoked(event: Event) -> Event:
        http = http_of(event)
        if http is None:
            return of_trigger(elsewise(event))
        started = monotonic()
        request = incoming(http)
        response = run(outcome(work, request, http))
        note(name, request, response, started)
        return outgoing(response, with_body=http["method"].upper() != "HEAD")

    return main


def http_of(event: Event) -> Event | None:
    """The HTTP part: DigitalOcean's `http`, or the older `__ow_` names; None for a trigger.

    A raw web action gets nothing of the caller's at the top level, so nobody outside can look like a trigger.
    """
    http: Event | None = event.get("http")
    if http is not None or "__ow_method" not in event:
        return http
    return {
        "method": event["__ow_method"],
        "headers": event.get("__ow_headers", {}),
        "path": event.get("__ow_path", ""),
        "queryString": event.get("__ow_query", ""),
        "body": event.get("__ow_body"),
        "isBase64Encoded": event.get("__ow_isBase64Encoded"),
    }


def incoming(http: Event) -> Request:
    """The platform cuts the function's own address off the path; links need it back, so it is the root."""
    headers = {name.lower(): value for name, value in http["headers"].items()}
    headers.pop("accept-encoding", None)  # an answer in compressed text cannot be sent from here
    method = http["method"].upper()
    path = unescaped(http.get("path") or "/")
    return Request("GET" if method == "HEAD" else method, path, http.get("queryString") or "", headers, b"", root())


@cache
def root() -> str:
    """Our own address; it is in the environment from the first call on, and never changes."""
    action = os.environ.get("__OW_ACTION_NAME", "")
    return f"/api/v1/web{action}" if action else ""


def outgoing(response: Response, *, with_body: bool = True) -> Event:
    """The platform decodes base64 where the content type is binary, and takes everything else as text."""
    joined, cookies = folded(response.headers)
    headers: dict[str, str | list[str]] = {**joined, "set-cookie": cookies} if cookies else {**joined}
    text = response.body.decode() if is_text(joined.get("content-type", "text/plain")) else encoded(response.body)
    return {"statusCode": response.status, "headers": headers, "body": text if with_body else ""}


def of_trigger(response: Response) -> Event:
    """A trigger has no caller: `error` is how OpenWhisk marks an activation as failed."""
    answer = {"statusCode": response.status, "body": response.body.decode()}
    return {**answer, "error": response.log["code"]} if response.status >= 400 else answer
