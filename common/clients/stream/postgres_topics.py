"""The topics of the log in Postgres: made, counted, and their old days dropped. Migrations and clock jobs call this."""

import re
from datetime import date, timedelta
from typing import NamedTuple

import msgspec

from common.clients.postgres import partitions
from common.clients.postgres.connection import Connection, Row
from common.clients.postgres.partitions import DAY, MAKING, Partition


class Dropped(NamedTuple):
    days: list[str]
    held_by: list[str]  # groups that have not read the oldest day that is due


def make(conn: Connection, topic: str, count: int, today: date, ahead: int = partitions.AHEAD_DAYS) -> int:
    """Make the topic with so many partitions, and its days ahead; answers how many it has, had it been made before."""
    table = table_of(topic)
    with conn.transaction():
        conn.run("SELECT pg_advisory_xact_lock(:lock)", lock=MAKING)
        if conn.run("SELECT to_regclass(:name) IS NULL", name=table) == [[True]]:
            conn.simple(f"CREATE TABLE {table} (LIKE stream_log INCLUDING ALL) PARTITION BY RANGE (day)")
            conn.simple(f"ALTER TABLE {table} ALTER body SET {_storage(conn)}")
            conn.run(f"ALTER TABLE stream_log ATTACH PARTITION {table} FOR VALUES IN (:topic)", topic=topic)
            heads = "INSERT INTO stream_head (topic, part) SELECT :topic, generate_series(0, :last)"
            conn.run(heads, topic=topic, last=count - 1)
    make_days(conn, topic, today, ahead)
    return counts(conn)[topic]


def make_days(conn: Connection, topic: str, today: date, ahead: int = partitions.AHEAD_DAYS) -> list[str]:
    """Yesterday's too: the database's clock and ours need not agree on when midnight was."""
    return partitions.make(conn, table_of(topic), DAY, today - timedelta(days=1), today + timedelta(days=ahead))


def counts(conn: Connection) -> dict[str, int]:
    """Every topic's number of partitions."""
    return {row[0]: row[1] for row in conn.run("SELECT topic, count(*) FROM stream_head GROUP BY topic")}


def drop_old(conn: Connection, topic: str, before: date) -> Dropped:
    """Drop the days before this one, oldest first, up to the first that some group has not read to its end."""
    table = table_of(topic)
    days: list[str] = []
    for partition in partitions.existing(conn, table):
        if partition.first >= before:
            break
        if partition.attached and not partition.detaching:
            if held_by := _behind(conn, topic, partition):
                return Dropped(days, held_by)
            _raise_low(conn, topic, partition)
        partitions.drop(conn, table, partition)
        days.append(partition.name)
    return Dropped(days, [])


def table_of(topic: str) -> str:
    return "stream_log_" + re.sub(r"[^a-z0-9]", "_", topic.lower())


def _storage(conn: Connection) -> str:
    """lz4 where it was built in; else nothing: pglz would be more than half of what publishing costs the server.

    That is the case of the embedded Postgres, whose log then takes three to four times the space; KEEP_STREAM is short.
    """
    [[lz4]] = conn.run("SELECT 'lz4' = ANY(enumvals) FROM pg_settings WHERE name = 'default_toast_compression'")
    return "COMPRESSION lz4" if lz4 else "STORAGE EXTERNAL"


def _behind(conn: Connection, topic: str, partition: Partition) -> list[str]:
    query = """
        SELECT DISTINCT grp FROM stream_lease l JOIN json_to_recordset(:ends) AS d(part int, last bigint) USING (part)
         WHERE topic = :topic AND next <= last ORDER BY grp
    """
    ends = [{"part": part, "last": last} for part, last in _ends(conn, partition)]
    return [row[0] for row in conn.run(query, topic=topic, ends=msgspec.json.encode(ends).decode())]


def _raise_low(conn: Connection, topic: str, partition: Partition) -> None:
    """One head a statement: several at once, locked in another order than publishers do, could deadlock with them."""
    for part, last in _ends(conn, partition):
        move = "UPDATE stream_head SET low = greatest(low, :low) WHERE topic = :topic AND part = :part"
        conn.run(move, low=last + 1, topic=topic, part=part)


def _ends(conn: Connection, day: Partition) -> list[Row]:
    return conn.run(f"SELECT part, max(last) FROM {day.name} GROUP BY part")  # noqa: S608 - a name of our making
