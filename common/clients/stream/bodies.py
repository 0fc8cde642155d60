"""What a row of the Postgres log holds: records as JSON, theirs kept byte for byte, anything else as base64."""

from __future__ import annotations

from binascii import b2a_base64
from collections.abc import Collection, Iterable
from functools import lru_cache
from typing import NamedTuple
from zlib import crc32

import msgspec

from common.clients.stream import Item

# A row a reader can take in one gulp; many small records in one row are what makes reading fast.
ROW_RECORDS = 500
ROW_CHARACTERS = 256 * 1024
WHITESPACE = b" \t\r\n"

Encoded = tuple[int, str]  # a key's hash, and the record as its row holds it


class Stored(msgspec.Struct, gc=False):
    """`k` text, `v` JSON as it came; `K` and `V` base64; what is None is left out."""

    k: str | None = None
    v: msgspec.Raw = msgspec.Raw()
    K: bytes | None = None
    V: bytes | None = None

    @property
    def key(self) -> bytes | None:
        return self.K if self.k is None else self.k.encode()

    @property
    def value(self) -> bytes | None:
        return bytes(self.v) or self.V


_one_value = msgspec.json.Decoder(msgspec.Raw).decode
_read = msgspec.json.Decoder(list[Stored]).decode


class Row(NamedTuple):
    """What one commit brings to one partition: its records, and their number."""

    partition: int
    records: int
    body: str


def encoded(items: Collection[Item], *, plain: bool = False) -> list[Encoded]:
    """Each record as a row holds it, with its key's hash.

    `plain` keeps nothing as JSON: whatever Postgres found wrong with a value, it finds nothing wrong with base64.
    """
    starts = [_start(key, plain) for key, _ in items]
    return [(hashed, _record(start, value, plain)) for (start, hashed), (_, value) in zip(starts, items, strict=True)]


def rows(records: Iterable[Encoded], partitions: int) -> list[list[Row]]:
    """What is appended, one list after the other: in each at most one row for a partition.

    The first names every partition of them all, so that one transaction locks them in one order.
    """
    waiting: dict[int, list[str]] = {}
    for hashed, record in records:
        waiting.setdefault(hashed % partitions, []).append(record)
    chunks = {partition: _chunks(texts) for partition, texts in waiting.items()}
    lists = []
    while chunks:
        lists.append([Row(p, len(c[0]), f"[{','.join(c[0])}]") for p, c in chunks.items()])
        chunks = {partition: rest[1:] for partition, rest in chunks.items() if rest[1:]}
    return lists


def records(body: str) -> list[Stored]:
    """The records of one row, in their order. Structs and no tuples: nothing here for the garbage collector to walk."""
    return _read(body)


def _chunks(texts: list[str]) -> list[list[str]]:
    if len(texts) <= ROW_RECORDS and sum(map(len, texts)) <= ROW_CHARACTERS:
        return [texts]
    found: list[list[str]] = [[]]
    size = 0
    for text in texts:
        if found[-1] and (len(found[-1]) == ROW_RECORDS or size + len(text) > ROW_CHARACTERS):
            found.append([])
            size = 0
        found[-1].append(text)
        size += len(text)
    return found


def _record(start: str, value: bytes | None, plain: bool) -> str:
    if value is None:
        return f"{{{start}}}"
    comma = "," if start else ""
    if not plain and (text := as_json(value)) is not None:
        return f'{{{start}{comma}"v":{text}}}'
    return f'{{{start}{comma}"V":"{_base64(value)}"}}'


def as_json(value: bytes) -> str | None:
    """The value's text if it can stand inside a JSON document of Postgres and come out the same; else None."""
    if not value or value[0] in WHITESPACE or value[-1] in WHITESPACE:
        return None
    # Postgres refuses \u0000 and lone surrogates; every \u goes as base64, our own encoder writes none but for control.
    if b"\\" in value and b"\\u" in value:
        return None
    try:
        _one_value(value)
        return value.decode()
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


@lru_cache(maxsize=10_000)
def _start(key: bytes | None, plain: bool) -> tuple[str, int]:
    """How a record with this key begins, and the key's hash. Keys come again and again, so both are kept."""
    hashed = crc32(key or b"")
    if key is None:
        return "", hashed
    if not plain and b"\0" not in key:
        try:
            return f'"k":{msgspec.json.encode(key.decode()).decode()}', hashed
        except UnicodeDecodeError:
            pass
    return f'"K":"{_base64(key)}"', hashed


def _base64(data: bytes) -> str:
    return b2a_base64(data, newline=False).decode()
