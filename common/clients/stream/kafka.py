"""The stream in Kafka."""

import os
from collections.abc import Iterator, Sequence
from functools import cached_property

from common.clients.stream import Item, Reader
from common.clients.stream.kafka_config import Admin
from common.clients.stream.kafka_publisher import Publisher
from common.clients.stream.pending import Pending
from common.edge.records import Record
from common.settings import Kafka


class KafkaStream:
    """A producer and an admin client per process, each made when first used; each reader has a consumer."""

    def __init__(self, settings: Kafka) -> None:
        self._settings = settings
        self._publisher = Publisher(settings)
        self._admins: dict[int, Admin] = {}  # by process: one made before a fork never answers

    @cached_property
    def name(self) -> str:
        return f"kafka:{self._admin().metadata().cluster_id}"

    def publish(self, topic: str, items: Sequence[Item]) -> Pending:
        return self._publisher.publish(topic, items)

    def ends(self, topic: str) -> dict[int, tuple[int, int]]:
        return self._admin().ends(topic)

    def reader(self, topic: str, group: str) -> Reader:
        from common.clients.stream.kafka_reader import KafkaReader  # only the poller reads

        self._admin().partitions(topic)  # or it waits for ever for a topic nobody made
        return KafkaReader(self._settings, topic, group)

    def scan(self, topic: str) -> Iterator[Record]:
        from common.clients.stream import kafka_scan  # only people's tools do

        return kafka_scan.scan(self._settings, topic, self.ends(topic))

    def close(self) -> None:
        self._publisher.close()

    def _admin(self) -> Admin:
        if os.getpid() not in self._admins:
            self._admins[os.getpid()] = Admin(self._settings)
        return self._admins[os.getpid()]
