"""A topic of Kafka from its first record to its last, outside of any group."""

from collections.abc import Iterator, Mapping

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

from common.clients.stream.kafka_config import ANSWER_SECONDS, Said, config, reason
from common.clients.stream.kafka_record import record_of
from common.edge.records import Record
from common.settings import Kafka

# A consumer wants the name of a group, also one that never joins any.
SETTINGS = {"group.id": "signals-scan", "enable.auto.commit": False, "enable.partition.eof": True}


def scan(settings: Kafka, topic: str, ends: Mapping[int, tuple[int, int]]) -> Iterator[Record]:
    """A partition after the other, up to the end it had at the beginning."""
    said = Said(settings)
    consumer = Consumer(config(settings, said) | SETTINGS)
    try:
        for partition, (low, high) in sorted(ends.items()):
            if low < high:
                consumer.assign([TopicPartition(topic, partition, low)])
                yield from _until(consumer, said, topic, high)
    except KafkaException as error:
        raise said.unavailable(reason(error)) from error
    finally:
        consumer.close()


def _until(consumer: Consumer, said: Said, topic: str, high: int) -> Iterator[Record]:
    while True:
        message = consumer.poll(ANSWER_SECONDS)
        if message is None:
            raise said.unavailable("no record came, and no end")
        if error := message.error():
            if error.code() == KafkaError._PARTITION_EOF:
                return
            raise KafkaException(error)
        record = record_of(topic, message)
        if record.offset < high:
            yield record
        if record.offset >= high - 1:
            return
