"""Which stores a stack has: started here, in Docker, or somebody else's that is already set; one dict says where."""

import os
import secrets
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Protocol

from common.errors import Misconfigured
from local import state
from local.servers.objects import ObjectsServer
from local.servers.postgres import PostgresServer
from local.servers.process import Process

NAMES = ("embedded", "native", "compose")
BUCKET, OBJECTS = "signals", "objects"


class Server(Protocol):
    port: int
    process: Process | None

    def start(self) -> None: ...
    def stop(self) -> None: ...


class Stack:
    """The servers to start, and the variables under which the functions then find everything."""

    def __init__(self, name: str, given: Mapping[str, str]) -> None:
        if name not in NAMES:
            raise Misconfigured(f"STACK is {name!r}; it may be {', '.join(NAMES)}.")
        self.name, self.given = name, dict(given)
        self.servers: dict[str, Server] = {}
        self._starting: dict[str, Future[None]] = {}
        if name != "compose":
            self._choose()

    def start(self) -> None:
        """All of them at once; the slowest decides how long it takes, but for the archive's: `wait` waits for that."""
        if self.name == "compose":
            compose("up", "-d", "--wait", *COMPOSE_STORES)
            return
        for name in self.servers:
            self._begin(name)
        for name, starting in self._starting.items():
            if name != OBJECTS:
                starting.result()

    def wait(self) -> None:
        """Until the last of them is ready."""
        for starting in self._starting.values():
            starting.result()

    def revive(self) -> Iterator[str]:
        """Start again what has ended, beside whatever else goes on; a line about each.

        What cannot be started now, on a full disk say, is tried again whenever this is asked.
        """
        for name, server in self.servers.items():
            if self._starting[name].done() and server.process and not server.process.alive:
                failure = self._starting[name].exception()
                self._begin(name)
                yield f"{name} ended; starting it again" + (f", which failed before: {failure}" if failure else "")

    def stop(self) -> None:
        if self.name == "compose":
            compose("stop", *COMPOSE_STORES)
        for starting in self._starting.values():
            starting.exception()  # one that is starting is waited for: it could not be stopped yet
        for server in reversed(self.servers.values()):
            server.stop()

    def connections(self) -> dict[str, str]:
        """The connection variables of this stack; what was given from outside stays as it was given."""
        if self.name == "compose":
            return compose_connections() | self.given
        return self._own_connections() | self.given

    def _begin(self, name: str) -> None:
        pool = ThreadPoolExecutor(1)
        self._starting[name] = pool.submit(self.servers[name].start)
        pool.shutdown(wait=False)

    def _choose(self) -> None:
        if "DATABASE_URL" not in self.given:
            self.servers["postgres"] = PostgresServer(state.HOME / "postgres", state.port_for("postgres"))
        if self.name == "native" and "KAFKA_BROKERS" not in self.given:
            from local.servers import kafka

            jars = kafka.jars(state.HOME / "jars")
            self.servers["kafka"] = kafka.KafkaServer(state.HOME / "kafka", jars, state.port_for("kafka"))
        if self.name == "native" and "OPENSEARCH_URL" not in self.given:
            from local.servers import opensearch

            jars = opensearch.jars(state.HOME / "jars")
            port = state.port_for("opensearch", opensearch.FIRST_PORT)
            self.servers["opensearch"] = opensearch.OpenSearchServer(state.HOME / "opensearch", jars, port)
        if self._archives():
            self.servers[OBJECTS] = ObjectsServer(state.HOME / OBJECTS, state.port_for(OBJECTS), BUCKET)

    def _archives(self) -> bool:
        """Only a stream of our own: in the archiver's group we would take records from somebody's real archive.

        S3_BUCKET set to nothing means no archive.
        """
        return not {"DATABASE_URL", "KAFKA_BROKERS", "S3_BUCKET"} & self.given.keys() and "S3_BUCKET" not in os.environ

    def _own_connections(self) -> dict[str, str]:
        found: dict[str, str] = {}
        for server in self.servers.values():
            found |= connection_of(server)
        return found


def connection_of(server: Server) -> dict[str, str]:
    """What a started server contributes to the environment."""
    if isinstance(server, PostgresServer):
        return {"DATABASE_URL": server.url(), "PG_SSLMODE": "disable"}
    if isinstance(server, ObjectsServer):
        return server.connections()
    brokers, url = getattr(server, "brokers", None), getattr(server, "url", None)
    return {"KAFKA_BROKERS": brokers} if brokers else {"OPENSEARCH_URL": str(url)}


COMPOSE_STORES = ("postgres", "kafka", "opensearch", "objects")


def compose(*words: str) -> None:
    """Docker does the work; without it, say so instead of going on."""
    if shutil.which("docker") is None:
        raise Misconfigured("STACK=compose needs Docker with its compose plugin; STACK=embedded needs neither.")
    environ = os.environ | {"SIGNALS_PG_PASSWORD": compose_password()}
    done = subprocess.run(["docker", "compose", *words], cwd=state.ROOT, env=environ, check=False)
    if done.returncode:
        raise Misconfigured(f"`docker compose {' '.join(words)}` failed; it said why above.")


def compose_password() -> str:
    kept = state.recall("compose") or {"password": secrets.token_urlsafe(24)}
    state.remember("compose", kept)
    return str(kept["password"])


def compose_connections() -> dict[str, str]:
    """The ports compose.yaml publishes on loopback."""
    return {
        "DATABASE_URL": f"postgresql://signals:{compose_password()}@127.0.0.1:15432/signals",
        "PG_SSLMODE": "disable",
        "KAFKA_BROKERS": "127.0.0.1:19092",
        "OPENSEARCH_URL": "http://127.0.0.1:19200",
        "S3_ENDPOINT_URL": "http://127.0.0.1:15000",
        "S3_BUCKET": BUCKET,
        "S3_ACCESS_KEY": "local",
        "S3_SECRET_KEY": "local",
    }
