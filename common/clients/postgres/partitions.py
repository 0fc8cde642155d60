"""Tables cut by day or week: made ahead, dropped when old, and neither ever makes a writer or a reader wait.

CREATE … PARTITION OF and DROP of a partition would lock the whole table. A table made beside it and attached, and one
detached CONCURRENTLY before it is dropped, do not.
"""

from datetime import date, timedelta
from typing import NamedTuple

from common.clients.postgres.connection import Connection

DAY, WEEK = 1, 7
AHEAD_DAYS = 14
MAKING = 7_416_101  # makers of the same partition take turns; any number, the same in every release

# Also those that were detached but not dropped, because somebody was killed in between.
EXISTING = """
    SELECT c.relname, i.inhrelid IS NOT NULL, coalesce(i.inhdetachpending, false)
      FROM pg_class p
      JOIN pg_class c ON c.relnamespace = p.relnamespace AND c.relkind = 'r'
                     AND c.relname ~ ('^' || p.relname || '_[0-9]{8}$')
      LEFT JOIN pg_inherits i ON i.inhparent = p.oid AND i.inhrelid = c.oid
     WHERE p.oid = to_regclass(:parent)
     ORDER BY c.relname
"""


class Partition(NamedTuple):
    name: str
    first: date
    attached: bool
    detaching: bool  # begun and interrupted


def make(conn: Connection, table: str, span: int, first: date, last: date) -> list[str]:
    """Make what is missing, from the partition that holds the day `first` to the one that holds `last`."""
    wanted = [begin(first, span)]
    while wanted[-1] + timedelta(days=span) <= last:
        wanted.append(wanted[-1] + timedelta(days=span))
    with conn.transaction():
        conn.run("SELECT pg_advisory_xact_lock(:lock)", lock=MAKING)
        there = {partition.first for partition in existing(conn, table)}
        return [_make_one(conn, table, day, day + timedelta(days=span)) for day in wanted if day not in there]


def drop_before(conn: Connection, table: str, span: int, day: date) -> list[str]:
    """Drop every partition that ends on or before this day. Not inside a transaction: detaching needs its own."""
    old = [one for one in existing(conn, table) if one.first + timedelta(days=span) <= day]
    for partition in sorted(old, key=lambda one: not one.detaching):
        drop(conn, table, partition)
    return [partition.name for partition in old]


def drop(conn: Connection, table: str, partition: Partition) -> None:
    """Detach and drop; one whose detaching was interrupted is finished, Postgres allows no second until it is.

    Where two are at it, one of them is told that the other was quicker: Unavailable.
    """
    if partition.attached:
        how = "FINALIZE" if partition.detaching else "CONCURRENTLY"
        conn.run(f"ALTER TABLE {table} DETACH PARTITION {partition.name} {how}")
    conn.run(f"DROP TABLE {partition.name}")


def existing(conn: Connection, table: str) -> list[Partition]:
    """The partitions of this table, oldest first."""
    rows = conn.run(EXISTING, parent=table)
    return [Partition(name, _day(name[-8:]), attached, detaching) for name, attached, detaching in rows]


def begin(day: date, span: int) -> date:
    """The first day of the partition that holds this one; weeks begin on Monday."""
    return day - timedelta(days=day.weekday()) if span == WEEK else day


def _make_one(conn: Connection, table: str, first: date, end: date) -> str:
    name = f"{table}_{first:%Y%m%d}"
    conn.simple(
        f"CREATE TABLE {name} (LIKE {table} INCLUDING ALL);"
        f"ALTER TABLE {table} ATTACH PARTITION {name} FOR VALUES FROM ('{first}') TO ('{end}')"
    )
    return name


def _day(digits: str) -> date:
    return date(int(digits[:4]), int(digits[4:6]), int(digits[6:]))
