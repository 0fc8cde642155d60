"""How far a consumer has counted each partition, kept in the transaction that counts: so redelivery counts nothing."""

from collections.abc import Collection, Iterable

import msgspec

from common.clients.postgres.connection import Connection
from common.clients.postgres.quoting import render


class Source(msgspec.Struct, frozen=True):
    """Who counts what: another stream, or a topic of another name, is another row."""

    consumer: str
    stream: str
    topic: str


class Place(msgspec.Struct, frozen=True):
    """The next offset to be counted, and the broker's time of the last record that was."""

    next: int = 0
    newest: int | None = None


class Move(msgspec.Struct, frozen=True):
    """From the place that was seen to a new one."""

    partition: int
    seen: int
    next: int
    newest: int | None
    missed: int


def creating(source: Source, partitions: Collection[int]) -> str:
    insert = """
        INSERT INTO progress (consumer, stream, topic, partition)
        SELECT :consumer, :stream, :topic, p FROM unnest(:partitions::int[]) AS p
         ORDER BY p ON CONFLICT DO NOTHING;
    """
    return render(insert, {**_names(source), "partitions": _array(partitions)})


def locking(source: Source, partitions: Collection[int]) -> str:
    lock = """
        SELECT 'place', partition, next, newest FROM progress
         WHERE consumer = :consumer AND stream = :stream AND topic = :topic AND partition = ANY(:partitions::int[])
         ORDER BY partition FOR NO KEY UPDATE;
    """
    return render(lock, {**_names(source), "partitions": _array(partitions)})


def moving(source: Source, moves: Iterable[Move]) -> str:
    """Compare and set: had anybody counted meanwhile, the division would end the message, and nothing is committed."""
    update = """
        UPDATE progress AS p
           SET next = CASE WHEN p.next = x.seen THEN x.next ELSE 1 / (x.next - x.next) END,
               newest = greatest(p.newest, x.newest), missed = p.missed + x.missed, at = now()
          FROM json_to_recordset(:moves) AS x(partition int, seen bigint, next bigint, newest bigint, missed bigint)
         WHERE p.consumer = :consumer AND p.stream = :stream AND p.topic = :topic AND p.partition = x.partition;
    """
    return render(update, {**_names(source), "moves": msgspec.json.encode(list(moves)).decode()})


def pass_over(conn: Connection, source: Source, partition: int, offset: int, newest: int) -> bool:
    """The record at this offset will never be counted, and all before it are done with. False if it was counted."""
    upsert = """
        INSERT INTO progress AS p (consumer, stream, topic, partition, next, newest, missed)
        VALUES (:consumer, :stream, :topic, :partition, :next, :newest, 1)
        ON CONFLICT (consumer, stream, topic, partition) DO UPDATE
           SET next = excluded.next, newest = greatest(p.newest, excluded.newest), missed = p.missed + 1, at = now()
         WHERE p.next < excluded.next
        RETURNING 1
    """
    return bool(conn.run(upsert, **_names(source), partition=partition, next=offset + 1, newest=newest))


def counted(conn: Connection, source: Source) -> dict[int, int]:
    """The next offset of every partition that has been counted from."""
    query = """
        SELECT partition, next FROM progress
         WHERE consumer = :consumer AND stream = :stream AND topic = :topic
    """
    return {row[0]: row[1] for row in conn.run(query, **_names(source))}


def forget(conn: Connection, source: Source) -> int:
    """The topic was made anew: begin at its first record. Answers how many partitions that were."""
    query = """
        DELETE FROM progress WHERE consumer = :consumer AND stream = :stream AND topic = :topic RETURNING 1
    """
    return len(conn.run(query, **_names(source)))


def _names(source: Source) -> dict[str, object]:
    return {"consumer": source.consumer, "stream": source.stream, "topic": source.topic}


def _array(numbers: Iterable[int]) -> str:
    return f"{{{','.join(map(str, numbers))}}}"
