"""How every Kafka client of ours connects, and what the brokers said when it did not work."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from confluent_kafka import KafkaError, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec

from common.clients import tls
from common.clients.stream import no_such_topic
from common.errors import Unavailable
from common.settings import Kafka

Config = dict[str, Any]
ANSWER_SECONDS = 4.0
UNKNOWN_TOPIC = (KafkaError._UNKNOWN_TOPIC, KafkaError.UNKNOWN_TOPIC_OR_PART)
# Said when nothing is left to try; the reason was said before.
EMPTY_WORDS = (KafkaError._ALL_BROKERS_DOWN, KafkaError._TIMED_OUT)
NOBODY = (KafkaError._ALL_BROKERS_DOWN, KafkaError._AUTHENTICATION, KafkaError._SSL)
FRESH_SECONDS = 15.0


class Said:
    """The last words of the error callback: a wrong password shows only there, while messages merely time out."""

    def __init__(self, kafka: Kafka) -> None:
        self._kafka = kafka
        self._words, self._at = "", 0.0
        self._alarm = self._refused = False

    def __call__(self, error: KafkaError) -> None:
        now = time.monotonic()
        if error.code() not in EMPTY_WORDS or now - self._at > FRESH_SECONDS:
            self._words, self._at = error.str(), now
        self._alarm = self._alarm or error.code() in NOBODY
        self._refused = self._refused or error.code() == KafkaError._AUTHENTICATION

    def alarmed(self) -> bool:
        """Whether it was said, since this was last asked, that no broker can be reached."""
        alarm, self._alarm = self._alarm, False
        return alarm

    def renew(self, client: Any) -> None:
        """Where the password was refused, say it again: its file may have another by now. The library logs in again
        by itself; it aborts the process if it is told inside a callback."""
        if self._refused:
            self._refused = False
            client.set_sasl_credentials(self._kafka.username, self._kafka.password.reveal())

    def unavailable(self, otherwise: object) -> Unavailable:
        words = self._words if time.monotonic() - self._at < FRESH_SECONDS else ""
        if words.endswith("are down") and self._kafka.protocol == "PLAINTEXT":
            words += " (or they want TLS, and hang up on KAFKA_SECURITY_PROTOCOL=PLAINTEXT)"
        return Unavailable("Kafka", words or str(otherwise))


def config(kafka: Kafka, said: Said) -> Config:
    """What producers, consumers and admin clients share."""
    made: Config = {
        "bootstrap.servers": kafka.brokers,
        "security.protocol": kafka.protocol,
        "client.id": "signals",
        "error_cb": said,
        "log_level": 0,  # what matters comes through the callback, and not to stderr
        "socket.keepalive.enable": True,
        "reconnect.backoff.max.ms": 1000,
        "socket.connection.setup.timeout.ms": 3000,
    }
    if kafka.protocol != "PLAINTEXT":
        made |= {"ssl.ca.pem": tls.pem(kafka.ca, "KAFKA_CA_CERT")} if kafka.ca else {"ssl.ca.location": "probe"}
    if kafka.protocol == "SASL_SSL":
        made |= {"sasl.mechanism": kafka.mechanism, "sasl.username": kafka.username}
        made |= {"sasl.password": kafka.password.reveal()}
    return made


class Admin:
    """Questions about topics and the cluster; each is answered within a few seconds or `Unavailable`."""

    def __init__(self, kafka: Kafka) -> None:
        self._said = Said(kafka)
        self.client = AdminClient(config(kafka, self._said))

    def partitions(self, topic: str) -> int:
        """How many it has. All topics are asked for: asking for one could make it, if the broker is so configured."""
        found = self.metadata().topics.get(topic)
        if found is None:
            raise no_such_topic(topic)
        return len(found.partitions)

    def ends(self, topic: str) -> dict[int, tuple[int, int]]:
        parts = [TopicPartition(topic, part) for part in range(self.partitions(topic))]
        low, high = (self._offsets(parts, spec) for spec in (OffsetSpec.earliest(), OffsetSpec.latest()))
        return {part.partition: (low[part.partition], high[part.partition]) for part in parts}

    def _offsets(self, parts: list[TopicPartition], spec: Any) -> dict[int, int]:
        asked = self.client.list_offsets(dict.fromkeys(parts, spec), request_timeout=ANSWER_SECONDS)
        with self.asking():
            return {part.partition: future.result().offset for part, future in asked.items()}

    def metadata(self) -> Any:
        with self.asking():
            return self.client.list_topics(timeout=ANSWER_SECONDS)

    @contextmanager
    def asking(self) -> Iterator[None]:
        self._said.renew(self.client)
        try:
            yield
        except KafkaException as error:
            self.client.poll(0)  # brings the error callback
            raise self._said.unavailable(reason(error)) from error


def reason(error: KafkaException) -> str:
    said = error.args[0]
    return str(said.str() if isinstance(said, KafkaError) else said)
