"""The topics in Kafka, made by migrations: stamped by the broker, kept as long as the settings say."""

import time
from collections.abc import Iterable
from contextlib import suppress
from typing import Any

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AlterConfigOpType, ConfigEntry, ConfigResource, NewTopic

from common.clients.stream import limit
from common.clients.stream.kafka_config import ANSWER_SECONDS, Admin, reason
from common.errors import Misconfigured, Unavailable
from common.settings import Kafka

SETTLE_SECONDS = 10.0
FRAME_BYTES = 64 * 1024  # around a record of the largest size


def make(kafka: Kafka, topic: str, partitions: int, keep_seconds: int) -> int:
    """Make the topic, or bring its retention up to date; answers how many partitions it has."""
    admin = Admin(kafka)
    kept = {"retention.ms": str(keep_seconds * 1000), "max.message.bytes": str(limit(topic) + FRAME_BYTES)}
    if topic in admin.metadata().topics:
        _update(admin, topic, kept)
    else:
        # LogAppendTime: by the broker's own clock, a redelivered record is told from one of a topic made anew.
        fixed = {"message.timestamp.type": "LogAppendTime", "cleanup.policy": "delete"}
        new = NewTopic(topic, partitions, -1, config=fixed | kept)
        _done(admin, topic, admin.client.create_topics([new], request_timeout=ANSWER_SECONDS).values())
    return _settled(admin, topic)


def stamps(kafka: Kafka, topic: str) -> bool:
    """Whether the broker makes the time of each record, as on topics we made."""
    return _described(Admin(kafka), topic)["message.timestamp.type"] == "LogAppendTime"


def _described(admin: Admin, topic: str) -> dict[str, str]:
    resource = ConfigResource(ConfigResource.Type.TOPIC, topic)
    with admin.asking():
        [found] = admin.client.describe_configs([resource], request_timeout=ANSWER_SECONDS).values()
        return {name: entry.value for name, entry in found.result().items()}


def _update(admin: Admin, topic: str, kept: dict[str, str]) -> None:
    now = _described(admin, topic)
    if changes := [(name, value) for name, value in kept.items() if now.get(name) != value]:
        entries = [ConfigEntry(*one, incremental_operation=AlterConfigOpType.SET) for one in changes]
        wanted = ConfigResource(ConfigResource.Type.TOPIC, topic, incremental_configs=entries)
        _done(admin, topic, admin.client.incremental_alter_configs([wanted], request_timeout=ANSWER_SECONDS).values())


def _done(admin: Admin, topic: str, futures: Iterable[Any]) -> None:
    for future in futures:
        with admin.asking():
            try:
                future.result()
            except KafkaException as error:
                code = error.args[0]
                if code.code() == KafkaError.TOPIC_ALREADY_EXISTS:
                    continue  # another migration was quicker
                if code.retriable() or code.code() < 0:  # below zero: the client's own, nobody answered
                    raise
                raise Misconfigured(f"Kafka refuses to make or change {topic}: {reason(error)}") from error


def _settled(admin: Admin, topic: str) -> int:
    """Wait until every partition has a leader: before that, the first to use the topic would be turned away."""
    until = time.monotonic() + SETTLE_SECONDS
    while True:
        with suppress(Misconfigured, Unavailable):
            return len(admin.ends(topic))
        if time.monotonic() > until:
            raise Unavailable("Kafka", f"{topic} was made, but its partitions have no leader yet: try again")
        time.sleep(0.1)
