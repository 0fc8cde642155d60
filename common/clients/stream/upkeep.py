"""The topics there are, made by migrations; their old days dropped and new ones made by a clock job."""

from datetime import date, timedelta
from typing import NamedTuple

from common import topics
from common.clients.postgres.connection import Connection
from common.clients.postgres.partitions import AHEAD_DAYS
from common.clients.stream import postgres_topics
from common.clients.stream.postgres_topics import Dropped
from common.errors import Misconfigured
from common.settings import Settings

SECONDS_A_DAY = 86_400


class Topic(NamedTuple):
    name: str
    partitions: int
    keep_seconds: int


def wanted(settings: Settings) -> list[Topic]:
    """Jobs are notifications and dead letters are rare: three partitions each let three workers share them."""
    return [
        Topic(topics.RAW, settings.stream_partitions, settings.keep.stream),
        Topic(topics.AI_JOBS, 3, settings.keep.stream),
        Topic(topics.DLQ, 3, settings.keep.dead),
    ]


def make(conn: Connection, settings: Settings, today: date, ahead: int = AHEAD_DAYS) -> None:
    """Make the topics that are missing, on the engine of these settings; refuse to change a number of partitions."""
    for topic in wanted(settings):
        there = _make_one(conn, settings, topic, today, ahead)
        if topic.name == topics.RAW and there != topic.partitions:
            raise Misconfigured(
                f"{topic.name} has {there} partitions, and STREAM_PARTITIONS={topic.partitions} cannot change that: "
                "keys would move to other partitions, and the events of one series would be counted out of order. "
                f"Set STREAM_PARTITIONS={there}."
            )


def prune(conn: Connection, settings: Settings, today: date) -> dict[str, Dropped]:
    """For a clock job: the days ahead made, and those past their time dropped. A Kafka does both by itself."""
    if settings.kafka:
        return {}
    for topic in wanted(settings):
        postgres_topics.make_days(conn, topic.name, today)
    return {topic.name: postgres_topics.drop_old(conn, topic.name, _oldest(topic, today)) for topic in wanted(settings)}


def _make_one(conn: Connection, settings: Settings, topic: Topic, today: date, ahead: int) -> int:
    if settings.kafka is None:
        return postgres_topics.make(conn, topic.name, topic.partitions, today, ahead)
    from common.clients.stream import kafka_topics

    return kafka_topics.make(settings.kafka, topic.name, topic.partitions, topic.keep_seconds)


def _oldest(topic: Topic, today: date) -> date:
    """The oldest day that is kept; a day counts from its end, so that nothing goes early."""
    return today - timedelta(days=-(-topic.keep_seconds // SECONDS_A_DAY))
