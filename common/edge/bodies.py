"""A body inside an event that is JSON: text, or base64 and said to be."""

from __future__ import annotations

from binascii import Error as NotBase64
from binascii import a2b_base64, b2a_base64

from common.edge.values import BODY_LIMIT
from common.errors import Problem


def decoded(body: object, is_base64: object) -> bytes:
    """The bytes that were sent. Only the platform's own flag says base64, never the content type."""
    if not isinstance(body, str):
        return b""
    data = _from_base64(body) if is_base64 else body.encode("utf-8", "surrogatepass")
    if len(data) > BODY_LIMIT:
        raise too_large()
    return data


def encoded(body: bytes) -> str:
    return b2a_base64(body, newline=False).decode()


def _from_base64(text: str) -> bytes:
    try:
        return a2b_base64(text, strict_mode=True)
    except (NotBase64, ValueError):
        raise Problem("bad_base64", "The body is not the base64 it is said to be.", status=400) from None


def too_large() -> Problem:
    return Problem("too_large", f"The body is over {BODY_LIMIT} bytes.", status=413)


def is_text(content_type: str) -> bool:
    """Whether a body of this type may travel as text."""
    kind = content_type.partition(";")[0].strip().lower()
    return kind.startswith("text/") or kind.endswith(("json", "xml", "javascript", "x-www-form-urlencoded"))


def unescaped(text: str) -> str:
    """Percent escapes undone: in a path, as ASGI servers hand it on, and in the headers of a CloudEvent."""
    if "%" not in text:
        return text
    from urllib.parse import unquote  # 5 ms of import that few need

    return unquote(text)
