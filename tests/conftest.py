"""Fixtures: real servers, started when first asked for; a database, topic or index of its own for each test."""

import os
from collections.abc import Iterator

import pytest

from common import settings
from common.clients.postgres.connection import Connection
from tests import servers

# What a developer's shell points at is none of the tests' business.
for name in [name for name in os.environ if name.startswith(("PG_", "KAFKA_", "OPENSEARCH_", "S3_", "GRADIENT_"))]:
    del os.environ[name]
os.environ.pop("DATABASE_URL", None)


@pytest.fixture(scope="session", autouse=True)
def _stop_servers() -> Iterator[None]:
    yield
    servers.stop_all()


@pytest.fixture
def database_url() -> Iterator[str]:
    """A migrated, empty database for this test alone."""
    url = servers.fresh_database()
    yield url
    servers.drop_database(url)


@pytest.fixture
def database(database_url: str) -> settings.Postgres:
    return settings.read({"DATABASE_URL": database_url}).database


@pytest.fixture
def conn(database: settings.Postgres) -> Iterator[Connection]:
    connection = Connection(database)
    yield connection
    connection.close()


@pytest.fixture(scope="session")
def brokers() -> str:
    """KAFKA_BROKERS of a real Kafka."""
    return servers.broker().brokers


@pytest.fixture(scope="session")
def opensearch_url() -> str:
    return servers.search_node().url


@pytest.fixture(scope="session")
def objects_url() -> str:
    return servers.storage().url
