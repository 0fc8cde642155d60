"""Answers as JSON, as they were built: no model is asked again. What the caller has already is not sent."""

from hashlib import blake2b
from typing import Any, TypeVar

import msgspec
from fastapi import Request, Response

from common.clients.postgres.paging import Page
from common.errors import Problem

T = TypeVar("T")
_encode = msgspec.json.Encoder().encode


def answered(request: Request, value: Any) -> Response:
    """200 with an ETag, or 304 if it is the one the caller named."""
    body = _encode(value)
    etag = f'W/"{blake2b(body, digest_size=12).hexdigest()}"'
    if etag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers={"etag": etag})
    return Response(body, media_type="application/json", headers={"etag": etag})


def changed(value: Any, status: int = 200) -> Response:
    """The new state."""
    return Response(_encode(value), status_code=status, media_type="application/json")


def listed(request: Request, name: str, page: Page) -> Response:
    return answered(request, {name: page.items, "next": page.next})


def theirs(found: T | None, what: str) -> T:
    """404 for what does not exist, and for what is somebody else's."""
    if found is None:
        raise Problem("not_found", f"There is no such {what}.", status=404)
    return found
