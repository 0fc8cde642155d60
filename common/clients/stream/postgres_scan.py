"""A topic of the log in Postgres from its first record to its last, outside of any group."""

from collections.abc import Iterator, Mapping

from common.clients.postgres.database import Database
from common.clients.stream import bodies
from common.edge.records import Record

# A row holds up to 256 KB, or one record that is larger.
ROWS = """
    SELECT last, n, (extract(epoch FROM at) * 1000)::bigint, body::text FROM stream_log
     WHERE topic = :topic AND part = :part AND last >= :position ORDER BY last LIMIT 8
"""


def scan(database: Database, topic: str, ends: Mapping[int, tuple[int, int]]) -> Iterator[Record]:
    """A partition after the other, up to the end it had at the beginning; no connection is held between two pages."""
    for partition, (position, high) in sorted(ends.items()):
        while position < high:
            with database.connection() as conn:
                rows = conn.run(ROWS, topic=topic, part=partition, position=position)
            if not rows:
                break  # retention was quicker
            for last, n, at, body in rows:
                for offset, stored in enumerate(bodies.records(body), last - n + 1):
                    if position <= offset < high:
                        yield Record(topic, partition, offset, at, stored.key, stored.value)
                position = last + 1
