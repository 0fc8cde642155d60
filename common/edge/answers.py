"""What each kind of failure means to a caller: the same on every platform.

The only two `except Exception` of the project are here: one for values, one for an app whose answer may be
on its way.
"""

from __future__ import annotations

import json

from common.edge.values import Response
from common.errors import Misconfigured, Problem, Unavailable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Mapping
    from typing import Any

    from common.edge.values import App, Message, Pairs, Receive, Scope, Send


async def outcome(work: Callable[..., Coroutine[Any, Any, Response]], *given: object) -> Response:
    """What the work answered, or what its failure means."""
    try:
        return await work(*given)
    except Exception as error:
        return answer(error)


async def guarded(app: App, scope: Scope, receive: Receive, send: Send) -> Response:
    """Lets an app answer. Comes back with the status it gave, or with the failure, answered if nothing was sent."""
    begun = 0
    noted: dict[str, object] = {}

    async def sending(message: Message) -> None:
        nonlocal begun
        begun = begun or message.get("status", 0)
        noted.update(_request_id(message))
        await send(message)

    try:
        await app(scope, receive, sending)
    except Exception as error:
        failure = answer(error)
        failure.log |= noted
        if begun:
            failure.log["begun"] = begun  # too late to say it: the server cuts the connection
        else:
            await write(failure, send)
        return failure
    return Response(begun, log=noted)


def _request_id(message: Message) -> dict[str, object]:
    """If the app gives its answers one, the log has it too."""
    found = [value.decode("latin-1") for name, value in message.get("headers", ()) if name == b"x-request-id"]
    return {"request_id": found[0]} if found else {}


def answer(error: BaseException) -> Response:
    """The caller's is 4xx, the world's 503, the operator's and ours 500; only the last has a traceback."""
    if isinstance(error, Problem):
        more = {"field": error.field, **error.more} if error.field else error.more
        return problem(error.status, error.code, str(error), error.headers, more)
    if isinstance(error, Unavailable):
        cause: dict[str, object] = {}
        if error.__cause__:
            cause["why"] = f"{type(error.__cause__).__name__}: {error.__cause__}"
        headers = [("retry-after", str(error.retry_after))]
        detail = f"{error.what} does not answer just now; try again in {error.retry_after} s."
        return problem(503, "unavailable", detail, headers, log=cause)
    if isinstance(error, Misconfigured):
        detail = "This function is not set up; its log says what to change."
        return problem(500, "misconfigured", detail, log={"error": str(error)})
    from common.edge.traces import folded

    log = {"error": f"{type(error).__name__}: {error}", "traceback": folded(error)}
    return problem(500, "internal", "A bug of ours; it is in the log.", log=log)


def problem(
    status: int,
    code: str,
    detail: str,
    headers: Pairs = (),
    more: Mapping[str, object] | None = None,
    log: Mapping[str, object] | None = None,
) -> Response:
    """A problem+json document (RFC 9457); `code` is its machine name, in the log too."""
    document = {"title": _title(status), "status": status, "code": code, "detail": detail, **(more or {})}
    body = json.dumps(document).encode()
    fields = {"code": code, "detail": detail, **(log or {})}
    return Response(status, body, [("content-type", "application/problem+json"), *headers], fields)


def _title(status: int) -> str:
    from http import HTTPStatus  # only who is refused pays for it

    return next((known.phrase for known in HTTPStatus if known == status), "Error")


async def write(response: Response, send: Send) -> None:
    """The answer as ASGI's two messages."""
    headers = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in response.headers]
    if response.status not in (204, 304):
        headers.append((b"content-length", str(len(response.body)).encode()))
    await send({"type": "http.response.start", "status": response.status, "headers": headers})
    await send({"type": "http.response.body", "body": response.body})
