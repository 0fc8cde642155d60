"""Fixtures: real servers, started when first asked for; a database, topic or index of its own for each test."""

import os
import sys
from collections.abc import Generator, Iterator

import coverage
import hypothesis
import pytest

from common import settings
from common.clients.postgres.connection import Connection
from common.clients.postgres.database import Database
from local.servers.process import Missing
from tests import servers

# What a developer's shell points at is none of the tests' business.
for name in [name for name in os.environ if name.startswith(("PG_", "KAFKA_", "OPENSEARCH_", "S3_", "GRADIENT_"))]:
    del os.environ[name]
os.environ.pop("DATABASE_URL", None)


# CI tries the same examples each time: it is red for a change, not by chance. Elsewhere chance goes on looking.
# How long an example takes says something about the machine alone.
CALM = [hypothesis.HealthCheck.too_slow]
hypothesis.settings.register_profile("here", deadline=None, suppress_health_check=CALM)
hypothesis.settings.register_profile("ci", derandomize=True, deadline=None, suppress_health_check=CALM)
hypothesis.settings.load_profile("ci" if os.environ.get("CI") else "here")


@pytest.hookimpl(wrapper=True)
def pytest_fixture_setup() -> Generator[None, object, object]:
    return (yield from left_out_without_its_server())


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    measured = coverage.Coverage.current()
    if measured is None or not runs_lines_again_and_again(item):
        return (yield from left_out_without_its_server())
    measured.stop()
    try:
        return (yield from left_out_without_its_server())
    finally:
        measured.start()


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Said at once: a run that is stopped half way does not come to tell why."""
    if report.failed:
        print(f"\n{report.nodeid} ({report.when}):\n{report.longreprtext[-3000:]}", file=sys.__stderr__, flush=True)


def runs_lines_again_and_again(item: pytest.Item) -> bool:
    """Whose coverage would take longer than the test, and tell nothing new after the first of a thousand examples."""
    drawn = getattr(getattr(item, "obj", None), "is_hypothesis_test", False)
    return drawn or item.get_closest_marker("many") is not None


def left_out_without_its_server() -> Generator[None, object, object]:
    """A test whose server is not installed here is left out, with the remedy; under CI that is a failure."""
    try:
        return (yield)
    except Missing as error:
        if os.environ.get("CI"):
            raise
        pytest.skip(f"left out: {error}")


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
def db(database: settings.Postgres) -> Iterator[Database]:
    """The same as a function has it: one connection, opened when it is needed."""
    made = Database(1, lambda: database)
    yield made
    made.close()


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
