"""The stream as a log in Postgres."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from common.clients.postgres.database import Database
from common.clients.stream import Item, Reader, no_such_topic
from common.clients.stream.pending import Pending
from common.clients.stream.postgres_publisher import GIVE_UP_SECONDS, Publisher
from common.edge.records import Record
from common.settings import Postgres

if TYPE_CHECKING:
    from common.clients.stream.postgres_news import News

# A database restored elsewhere brings its log and how far it was counted: it goes on under the name it had.
WHICH = """
    SELECT coalesce((SELECT stream FROM progress WHERE stream LIKE 'postgres:%' ORDER BY at DESC LIMIT 1),
                    'postgres:' || system_identifier || '/' || current_database())
      FROM pg_control_system()
"""
ENDS = "SELECT part, low, next FROM stream_head WHERE topic = :topic ORDER BY part"


class PostgresStream:
    """One connection for publishing and for questions; each reader has two of its own, and all of them one for news."""

    def __init__(self, settings: Postgres) -> None:
        self._settings = settings
        self._database = Database(1, lambda: settings)
        self._publisher = Publisher(self._database)
        self._news: News | None = None

    @cached_property
    def name(self) -> str:
        with self._database.connection() as conn:
            return str(conn.run(WHICH)[0][0])

    def publish(self, topic: str, items: Sequence[Item]) -> Pending:
        return self._publisher.publish(topic, items)

    def ends(self, topic: str) -> dict[int, tuple[int, int]]:
        with self._database.connection() as conn:
            conn.answer_within(GIVE_UP_SECONDS)
            rows = conn.run(ENDS, topic=topic)
        if not rows:
            raise no_such_topic(topic)
        return {part: (low, high) for part, low, high in rows}

    def reader(self, topic: str, group: str) -> Reader:
        from common.clients.stream.postgres_news import News  # only the poller reads
        from common.clients.stream.postgres_reader import PostgresReader

        self._news = self._news or News(self._settings)
        return PostgresReader(self._settings, topic, group, self._news)

    def scan(self, topic: str) -> Iterator[Record]:
        from common.clients.stream import postgres_scan  # only people's tools do

        return postgres_scan.scan(self._database, topic, self.ends(topic))

    def close(self) -> None:
        self._publisher.close()
        if self._news:
            self._news.close()
