"""What a handler is given and what it gives back: plain values, the same on every platform."""

from __future__ import annotations

import json

from common.errors import Problem

TYPE_CHECKING = False  # importing typing would cost every cold start 7 ms
if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine, Iterable, MutableMapping
    from typing import Any

    Scope = MutableMapping[str, Any]
    Message = MutableMapping[str, Any]
    Receive = Callable[[], Awaitable[Message]]
    Send = Callable[[Message], Awaitable[None]]
    App = Callable[[Scope, Receive, Send], Awaitable[None]]

    Pairs = Iterable[tuple[str, str]]
    Gate = Callable[["dict[str, str]"], None]
    Plain = Callable[["Request"], "Response"]
    Async = Callable[["Request"], Coroutine[Any, Any, "Response"]]
    Handle = Plain | Async
    Note = Callable[[str, "Request", "Response", float], None]

BODY_LIMIT = 6 * 1024 * 1024  # what AWS lets through; the edge holds every other platform to the same


class Request:
    """One HTTP request. Header names are lower case; `path` is what follows `root`, the place we are mounted at."""

    __slots__ = ("body", "headers", "method", "path", "query", "root")

    def __init__(
        self,
        method: str,
        path: str,
        query: str = "",
        headers: dict[str, str] | None = None,
        body: bytes = b"",
        root: str = "",
    ) -> None:
        self.method, self.path, self.query = method, path, query
        self.headers = {} if headers is None else headers
        self.body, self.root = body, root


class Response:
    """One answer. `log` is what its log line says beside method, path and status, the event id above all."""

    __slots__ = ("body", "headers", "log", "status")

    def __init__(
        self, status: int, body: bytes = b"", headers: Pairs = (), log: dict[str, object] | None = None
    ) -> None:
        self.status, self.body, self.headers = status, body, list(headers)
        self.log: dict[str, object] = {} if log is None else log


def folded(headers: Pairs) -> tuple[dict[str, str], list[str]]:
    """For platforms that take each name once: repeated ones joined, the cookies apart. They count the length."""
    joined: dict[str, str] = {}
    cookies: list[str] = []
    for name, value in headers:
        key = name.lower()
        if key == "set-cookie":
            cookies.append(value)
        elif key != "content-length":
            joined[key] = f"{joined[key]}, {value}" if key in joined else value
    return joined, cookies


def reply(status: int, value: object, headers: Pairs = (), log: dict[str, object] | None = None) -> Response:
    """A value as JSON."""
    return Response(status, json.dumps(value).encode(), [("content-type", "application/json"), *headers], log)


def only_post(request: Request) -> None:
    """What changes something is not done for a GET."""
    if request.method != "POST":
        raise Problem("method_not_allowed", "POST only.", status=405, headers=[("allow", "POST")])


def name_of(path: str) -> str:
    """What the log calls a function: its folder in `functions/`, or its file in `schedules/`."""
    *folders, name = path.replace("\\", "/").removesuffix(".py").split("/")
    return folders[-1] if name in ("main", "__main__") and folders else name
