"""Pages by key: newest first by (time, id), neither of which changes, so a page stays right while rows do."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import msgspec

from common.clients.carried import carried
from common.clients.postgres.connection import Connection, Row
from common.clients.postgres.quoting import render
from common.errors import Problem

# SET LOCAL holds for the statements of its own message, which Postgres takes as one transaction.
SLOWEST = "SET LOCAL statement_timeout = '5s'; "

MICROSECONDS = r"-?[0-9]{1,18}"
UUID = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
NUMBER = r"[0-9]{1,18}"
LABEL = r"[a-z0-9_-]{1,64}"

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FIRST, _LAST = -62_135_596_800_000_000, 253_402_300_799_999_999  # the years 1 and 9999


class Key(NamedTuple):
    """Where the page before ended; at its beginning, nowhere."""

    at: datetime | None = None
    id: str | None = None


class Page(msgspec.Struct, frozen=True):
    """Each item is JSON as Postgres wrote it; `next` is the cursor of the page after this one."""

    items: list[msgspec.Raw]
    next: str | None


class Beginning(NamedTuple):
    """The first items of a list, and how many it has."""

    items: list[msgspec.Raw]
    total: int


def ask(conn: Connection, sql: str, **values: object) -> list[Row]:
    """One question of a reader, given up after five seconds."""
    return conn.simple(SLOWEST + render(sql, values))


def page(conn: Connection, sql: str, limit: int, **values: object) -> Page:
    """The statement selects microseconds, id and JSON text, up to :limit rows; one more tells of a next page."""
    rows = ask(conn, sql, limit=limit + 1, **values)
    items = [raw(row[2]) for row in rows[:limit]]
    count = carried(len(memoryview(item)) for item in items)
    last = rows[count - 1] if len(rows) > count else None
    return Page(items[:count], f"{last[0]}~{last[1]}" if last else None)


def beginning(conn: Connection, sql: str, **values: object) -> Beginning:
    """The statement selects JSON text, up to :limit rows, and beside each how many there are."""
    rows = ask(conn, sql, **values)
    return Beginning([raw(row[0]) for row in rows], int(rows[0][1]) if rows else 0)


def read(cursor: str | None, ids: str) -> Key:
    """The key in a cursor of ours. A time that no row can have is the nearest one that could."""
    if cursor is None:
        return Key()
    found = re.fullmatch(rf"({MICROSECONDS})~({ids})", cursor, re.ASCII)
    if found is None:
        raise Problem("invalid_cursor", "cursor must be the `next` of the page before.", field="cursor")
    at = min(max(int(found[1]), _FIRST), _LAST)
    return Key(_EPOCH + timedelta(microseconds=at), found[2])


def raw(text: str) -> msgspec.Raw:
    return msgspec.Raw(text.encode())


def one(rows: Sequence[Row]) -> msgspec.Raw | None:
    """The first column of the only row, if there is one."""
    return raw(rows[0][0]) if rows else None
