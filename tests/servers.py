"""The real servers the tests talk to: each started once, on first use, in a folder that ends with the run."""

import shutil
import tempfile
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Protocol, TypeVar
from uuid import uuid4

from common import settings
from local.servers import kafka, objects, opensearch
from local.servers.pooler import PoolerServer
from local.servers.postgres import ROLE, PostgresServer
from migrations.apply import apply, migrations
from migrations.prepare import prepare

ROOT = Path(__file__).parent.parent
JARS = ROOT / ".local" / "jars"
_started: "list[Server]" = []


class Server(Protocol):
    def start(self) -> None: ...
    def stop(self) -> None: ...


S = TypeVar("S", bound=Server)


@cache
def home() -> Path:
    """Where every throw-away server keeps its data; the one who runs Postgres as nobody must be able to walk there."""
    folder = Path(tempfile.mkdtemp(prefix="signals-test-"))
    folder.chmod(0o755)
    return folder


@cache
def postgres() -> PostgresServer:
    """An embedded cluster without fsync, with one migrated database to copy."""
    server = start(PostgresServer(home() / "servers" / "postgres", throwaway=True))
    owner = server.connect(ROLE, "signals")
    apply(owner, migrations())
    prepare(owner, settings.read({}), datetime.now(UTC).date(), ahead=1)
    owner.close()
    return server


@cache
def broker() -> kafka.KafkaServer:
    return start(kafka.KafkaServer(home() / "servers" / "kafka", kafka.jars(JARS)))


@cache
def search_node() -> opensearch.OpenSearchServer:
    return start(opensearch.OpenSearchServer(home() / "servers" / "opensearch", opensearch.jars(JARS)))


@cache
def storage() -> objects.ObjectsServer:
    return start(objects.ObjectsServer(home() / "servers" / "objects"))


@cache
def pooler() -> PoolerServer:
    """A PgBouncer in transaction mode before that cluster."""
    return start(PoolerServer(home() / "servers" / "pooler", postgres()))


def pooled(url: str) -> str:
    """The same database, through the pooler."""
    return pooler().url(url.rpartition("/")[2])


def fresh_database() -> str:
    """The URL of a migrated, empty database, copied from the template in a few hundredths of a second."""
    server, name = postgres(), f"t_{uuid4().hex[:12]}"
    owner = server.connect()
    owner.run(f"CREATE DATABASE {name} TEMPLATE signals OWNER {ROLE}")
    owner.close()
    return server.url(database=name)


def drop_database(url: str) -> None:
    owner = postgres().connect()
    owner.run(f"DROP DATABASE {settings.read({'DATABASE_URL': url}).database.database} WITH (FORCE)")
    owner.close()


def stop_all() -> None:
    while _started:
        _started.pop().stop()
    if home.cache_info().currsize:
        shutil.rmtree(home(), ignore_errors=True)


def start(server: S) -> S:
    _started.append(server)
    server.start()
    return server
