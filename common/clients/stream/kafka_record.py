"""A message of Kafka as one of our records."""

from confluent_kafka import TIMESTAMP_CREATE_TIME, Message

from common.edge.records import CREATE_TIME, LOG_APPEND_TIME, Record


def record_of(topic: str, message: Message) -> Record:
    """On a topic that is not ours the publisher's clock may have made the time; then it says so."""
    kind, at = message.timestamp()
    named = CREATE_TIME if kind == TIMESTAMP_CREATE_TIME else LOG_APPEND_TIME
    key, value = message.key(), message.value()
    return Record(topic, message.partition() or 0, message.offset() or 0, at, key, value, timestamp_type=named)
