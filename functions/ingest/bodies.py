"""A request's body as it was before it was compressed, and never larger than the limit."""

import zlib

from common.edge.values import Request
from common.errors import Problem

GZIP, ZLIB, BARE = 31, 15, -15  # as zlib counts window bits
KINDS = {"gzip": (GZIP,), "x-gzip": (GZIP,), "deflate": (ZLIB, BARE)}  # some senders mean one, some the other


def inflated(request: Request, limit: int) -> bytes:
    """Plain, gzip or deflate; a body that would grow beyond the limit is given up at it."""
    encoding = request.headers.get("content-encoding", "identity").strip().lower()
    if encoding in ("", "identity"):
        return checked(request.body, limit)
    if encoding not in KINDS:
        detail = f"{encoding} is not understood: send gzip, deflate or the body as it is."
        raise Problem("unsupported_encoding", detail, status=415, headers=[("accept-encoding", "gzip, deflate")])
    for window in KINDS[encoding]:
        found = inflate(request.body, window, limit)
        if found is not None:
            return checked(found, limit)
    detail = f"The body is not {encoding}, was cut off, or goes on after its end: send one stream of it."
    raise Problem("malformed", detail, status=400)


def inflate(body: bytes, window: int, limit: int) -> bytes | None:
    """At most one byte more than the limit, which is enough to know; None if it is not this encoding."""
    reader = zlib.decompressobj(window)
    try:
        found = reader.decompress(body, limit + 1)
    except zlib.error:
        return None
    complete = reader.eof and not reader.unused_data
    return found if complete or len(found) > limit else None


def checked(body: bytes, limit: int) -> bytes:
    if len(body) > limit:
        detail = f"A request may hold {limit} bytes after inflating; send the events in several."
        raise Problem("too_large", detail, status=413)
    return body
