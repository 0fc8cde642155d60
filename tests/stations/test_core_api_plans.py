"""A page reads rows in proportion to what it shows, however much there is: told by the plans themselves."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from random import Random

import pytest

from common import settings
from common.clients.postgres import ai, deploys, incidents
from common.clients.postgres.ai import Narrowing as JobsOf
from common.clients.postgres.connection import Connection
from common.clients.postgres.incidents import Narrowing
from local.bench import api_data
from tests import servers
from tests.plans import rows_read

SHOWN = 50
NOW = datetime.now(UTC)
KEY = {"org": "bench", "limit": SHOWN + 1, "at": None, "id": None}
HALFWAY = {"at": NOW - timedelta(days=4), "id": "ffffffff-ffff-ffff-ffff-ffffffffffff"}


@pytest.fixture(scope="module")
def conn() -> Iterator[Connection]:
    """Three thousand incidents, a job each, and two thousand deploys."""
    url = servers.fresh_database()
    connection = Connection(settings.read({"DATABASE_URL": url}).database)
    api_data.organisations(connection, Random(1))
    values = {"now": int(NOW.timestamp()) // 60, "series": 600, "incidents": 3_000, "minutes": 1}
    for statement in (api_data.SERIES_ROWS, api_data.INCIDENT_ROWS, api_data.JOBS, api_data.DEPLOYS):
        connection.run(statement, **values)
    for table in ("incidents", "ai_jobs", "deploys"):
        connection.run(f"VACUUM ANALYZE {table}")
    yield connection
    connection.close()
    servers.drop_database(url)


@pytest.mark.parametrize(
    "narrowing",
    [
        Narrowing(),
        Narrowing(project="bench-shop"),
        Narrowing(environment="prod"),
        Narrowing(project="bench-shop", environment="prod", status="resolved"),
        Narrowing(status="open"),
        Narrowing(status="resolved"),
        Narrowing(severity="critical"),  # one in fifty
        Narrowing(rule="signup_drop"),  # one in a hundred
        Narrowing(since=NOW - timedelta(days=2), until=NOW - timedelta(days=1)),
    ],
)
@pytest.mark.parametrize("place", [{}, HALFWAY], ids=["first", "halfway"])
def test_a_page_of_incidents(conn: Connection, narrowing: Narrowing, place: dict[str, object]) -> None:
    values = KEY | {"words": None} | place | narrowing._asdict()
    assert rows_read(conn, incidents.LIST, values) <= 2 * SHOWN + 2


@pytest.mark.parametrize("status", [None, "failed", "queued"])
def test_a_page_of_jobs(conn: Connection, status: str | None) -> None:
    """A job and its incident each."""
    assert rows_read(conn, ai.LIST, KEY | JobsOf(status=status)._asdict()) <= 2 * SHOWN + 2


def test_a_page_of_deploys(conn: Connection) -> None:
    narrowing = {"project": "bench-shop", "environment": "prod", "since": None, "until": None}
    assert rows_read(conn, deploys.LIST, KEY | narrowing) <= 2 * SHOWN + 2


def test_one_incident(conn: Connection) -> None:
    [[incident]] = conn.run("SELECT id::text FROM incidents LIMIT 1")
    values = {"org": "bench", "id": incident, "now": NOW, "points": incidents.PLOT_POINTS}
    assert rows_read(conn, incidents.ONE, values) <= 100
