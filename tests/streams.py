"""The engines a contract test runs against: the log in Postgres, the same through a pooler, and Kafka."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache
from typing import NamedTuple
from uuid import uuid4

from confluent_kafka import TopicPartition

from common import settings
from common.clients.postgres.connection import Connection
from common.clients.stream import Reader, Stream, kafka_topics, postgres_topics, stream_for
from common.clients.stream.kafka_config import Admin
from common.edge.records import Record
from local.servers import kafka
from local.servers.kafka import KafkaServer
from tests import certificates, servers
from tests.certificates import Certificates

ENGINES = ("postgres", "pooled", "kafka")


class Engine:
    """Where one test's topics live. `environ` is what a process of its own needs to find them."""

    def __init__(self, kind: str, environ: dict[str, str] | None = None) -> None:
        """`environ` names servers of the test's own."""
        self.kind = kind
        self._fresh = kind != "kafka" and environ is None
        self.url = servers.fresh_database() if self._fresh else (environ or {}).get("DATABASE_URL", "")
        self.environ = environ or _environ(kind, self.url)
        self.settings = settings.read(self.environ)
        self._streams: list[Stream] = []
        self._readers: list[Reader] = []

    def topic(self, partitions: int = 1) -> str:
        """A new topic's name."""
        name = f"t{uuid4().hex[:8]}"
        if self.settings.kafka:
            kafka_topics.make(self.settings.kafka, name, partitions, 86_400)
        else:
            conn = Connection(settings.read({"DATABASE_URL": self.url}).database)
            postgres_topics.make(conn, name, partitions, datetime.now(UTC).date(), 1)
            conn.close()
        return name

    def stream(self) -> Stream:
        self._streams.append(stream_for(self.settings))
        return self._streams[-1]

    def reader(self, topic: str, group: str = "group", stream: Stream | None = None) -> Reader:
        self._readers.append((stream or self.stream()).reader(topic, group))
        return self._readers[-1]

    def member(self, topic: str, group: str = "group") -> "subprocess.Popen[str]":
        """A member of the group in a process of its own; see tests/member.py."""
        words = [sys.executable, "-m", "tests.member", topic, group]
        environ = os.environ | self.environ
        return subprocess.Popen(
            words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environ, cwd=servers.ROOT
        )

    def delete_before(self, topic: str, offset: int) -> None:
        """What retention does to partition 0, as far as a reader can see."""
        if self.settings.kafka:
            admin = Admin(self.settings.kafka)
            [deleted] = admin.client.delete_records([TopicPartition(topic, 0, offset)]).values()
            deleted.result(10)
        else:
            conn = Connection(settings.read({"DATABASE_URL": self.url}).database)
            conn.run("UPDATE stream_head SET low = :low WHERE topic = :topic AND part = 0", low=offset, topic=topic)
            conn.close()

    def close(self) -> None:
        for reader in self._readers:
            reader.close()
        for stream in self._streams:
            stream.close()
        if self._fresh:
            servers.drop_database(self.url)


def _environ(kind: str, url: str) -> dict[str, str]:
    if kind == "kafka":
        return {"KAFKA_BROKERS": servers.broker().brokers}
    return {"DATABASE_URL": servers.pooled(url) if kind == "pooled" else url}


class Spare(NamedTuple):
    """A broker of one's own to freeze and to kill; it also has an encrypted listener that asks for a password."""

    server: KafkaServer
    certificates: Certificates


SPARE_USER, SPARE_PASSWORD = "app", "app-secret"


@cache
def spare() -> Spare:
    home = servers.home() / "servers" / "spare"
    home.mkdir(parents=True)
    made = certificates.make(home)
    scram = f"name={SPARE_USER},password={SPARE_PASSWORD}"
    server = KafkaServer(home / "kafka", kafka.jars(servers.JARS), keystore=made.keystore_pem, scram=scram)
    return Spare(servers.start(server), made)


def read(reader: Reader, count: int, *, seconds: float = 20) -> list[Record]:
    """So many records, however many reads it takes; fewer, if they do not come."""
    records: list[Record] = []
    until = time.monotonic() + seconds
    while len(records) < count and time.monotonic() < until:
        records += reader.read(1000, 8_000_000, 0.2)
    return records


def wait_for(condition: Callable[[], bool], seconds: float) -> float:
    """How long it took; a failure if it never came."""
    began = time.monotonic()
    while not condition():
        assert time.monotonic() - began < seconds, f"not within {seconds} s"
        time.sleep(0.02)
    return time.monotonic() - began


def reading(*readers: Reader, until: Callable[[], bool], seconds: float = 15) -> float:
    """Read with all of them in turn, as pollers do all day, until something is so."""

    def read_and_look() -> bool:
        for reader in readers:
            reader.read(1000, 8_000_000, 0.05)
        return until()

    return wait_for(read_and_look, seconds)
