"""JSON read by its quotes and brackets alone, where a parser would give up or not survive."""

import re

from common.events.limits import MAX_DEPTH

# A text, possibly without its end, or what opens, closes and divides. Atomic: nothing is read twice.
_TOKEN = re.compile(rb'"(?>[^"\\]+|\\.)*+"?|[][{},]', re.DOTALL)


def too_deep(raw: bytes) -> str | None:
    """The field that nests too deep; empty if that is no field; None if all is well."""
    depth, field = 0, b""
    for token in _TOKEN.findall(raw):
        if token in (b"[", b"{"):
            depth += 1
            if depth > MAX_DEPTH:
                return field.decode("utf-8", "replace")
        elif token in (b"]", b"}"):
            depth -= 1
        elif depth == 1 and token != b",":
            field = token[1:-1]
    return None


def split_array(body: bytes) -> list[bytes] | None:
    """An array is cut at its own commas; None if its brackets do not close where it ends."""
    depth, start = 0, 0
    pieces: list[bytes] = []
    for token in _TOKEN.finditer(body):
        sign = token[0]
        if sign in (b"[", b"{"):
            depth += 1
            start = token.end() if depth == 1 else start
        elif sign in (b"]", b"}"):
            depth -= 1
            if depth == 0:
                return None if body[token.end() :].strip() else [*pieces, body[start : token.start()]]
        elif sign == b"," and depth == 1:
            pieces.append(body[start : token.start()])
            start = token.end()
    return None
