"""A real Kafka of one node (KRaft) on loopback ports, from Maven Central; TLS and SCRAM where a test wants them."""

import os
import subprocess
from contextlib import suppress
from pathlib import Path

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from common.errors import Misconfigured
from local.servers import java, process
from local.servers.process import Process, Words

ARTIFACTS = [
    ("org.apache.kafka", "kafka_2.13", "4.3.0"),
    ("org.apache.logging.log4j", "log4j-slf4j-impl", "2.24.3"),
    ("org.apache.logging.log4j", "log4j-core", "2.24.3"),
]
CLUSTER_ID = "U2lnbmFsc0NvcGlsb3RMYw"
HEAP = ["-Xms256m", "-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Djava.awt.headless=true"]
PROPERTIES = """
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller}
controller.listener.names=CONTROLLER
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}{tls_listener}
advertised.listeners=PLAINTEXT://127.0.0.1:{told}{tls_advertised}
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,SASL_SSL:SASL_SSL
inter.broker.listener.name=PLAINTEXT
log.dirs={data}
num.partitions=1
auto.create.topics.enable=false
offsets.topic.replication.factor=1
offsets.topic.num.partitions=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
group.initial.rebalance.delay.ms=0
"""
TLS_PROPERTIES = """
listener.name.sasl_ssl.sasl.enabled.mechanisms=SCRAM-SHA-256
listener.name.sasl_ssl.scram-sha-256.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required;
ssl.keystore.type=PEM
ssl.keystore.location={keystore}
ssl.client.auth=none
"""


class KafkaServer:
    """One broker whose data lies in `home`. With a keystore it also listens with TLS and SCRAM on `tls_port`."""

    def __init__(self, home: Path, jars: Path, port: int = 0, *, keystore: Path | None = None, scram: str = "") -> None:
        self.home, self.jars, self.port, self.keystore, self.scram = home, jars, port, keystore, scram
        self.controller = self.tls_port = 0
        self.told_port = 0  # where clients are told to go, if that is not where it listens
        self.process: Process | None = None

    def start(self) -> None:
        """Ready to serve when this returns."""
        self.home.mkdir(parents=True, exist_ok=True, mode=0o700)
        process.stop_leftover(self.home / "kafka.pid")
        self.port = process.free_port(self.port)
        self.controller = process.free_port()
        self.tls_port = process.free_port() if self.keystore else 0
        self._write_properties()
        self._format()
        self.process = process.start("kafka", self._words("kafka.Kafka", self._properties), self.home, env=self._env)
        process.wait_until(self._answers, self.process, 60)

    def stop(self) -> None:
        if self.process:
            self.process.stop()

    @property
    def brokers(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def _properties(self) -> Path:
        return self.home / "server.properties"

    @property
    def _env(self) -> dict[str, str]:
        return os.environ | {"LOG_DIR": str(self.home)}

    def _write_properties(self) -> None:
        text = PROPERTIES.format(
            controller=self.controller,
            port=self.port,
            told=self.told_port or self.port,
            data=self.home / "data",
            tls_listener=f",SASL_SSL://127.0.0.1:{self.tls_port}" if self.keystore else "",
            tls_advertised=f",SASL_SSL://localhost:{self.tls_port}" if self.keystore else "",
        )
        if self.keystore:
            text += TLS_PROPERTIES.format(keystore=self.keystore)
        self._properties.write_text(text)

    def _format(self) -> None:
        """Give the data folder its cluster id; one that has it already is left as it is."""
        words: Words = ["format", "-t", CLUSTER_ID, "-c", self._properties, "--ignore-formatted"]
        if self.scram:
            words += ["--add-scram", f"SCRAM-SHA-256=[{self.scram}]"]
        if (self.home / "data" / "meta.properties").exists():
            return
        argv = self._words("kafka.tools.StorageTool", *words)
        done = subprocess.run(argv, capture_output=True, text=True, check=False, env=self._env)
        if done.returncode:
            raise Misconfigured(f"Kafka could not format {self.home / 'data'}: {done.stderr.strip()[-1000:]}")

    def _words(self, main: str, *arguments: str | Path) -> Words:
        return [java.java(17), *HEAP, "-cp", f"{self.jars}/*", main, *arguments]

    def _answers(self) -> bool:
        if not process.listens(self.port):
            return False
        admin = AdminClient({"bootstrap.servers": self.brokers, "log_level": 0, "socket.timeout.ms": 2000})
        with suppress(KafkaException):
            return bool(admin.list_topics(timeout=2).brokers)
        return False


def jars(cache_folder: Path) -> Path:
    return java.jars("kafka", ARTIFACTS, cache_folder)
