"""Pages read rows in proportion to what they show, however much there is: told by the plans themselves."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from random import Random

import pytest

from common import settings
from common.clients.postgres import overview, rows, whole
from common.clients.postgres.connection import Connection
from common.clients.postgres.counted import Counted
from common.clients.postgres.rows import Asked, Narrowed
from local.bench import api_data
from tests import servers
from tests.plans import rows_read

ROWS, UNRESOLVED = 25, 20
NOW = datetime.now(UTC)
HERE = Asked("bench", NOW, Counted("stream", NOW))
FIRST = {"rank": None, "at": None, "id": None, "since": None, "limit": ROWS + 1}
HALFWAY = FIRST | {"at": NOW - timedelta(days=4), "id": "ffffffff-ffff-ffff-ffff-ffffffffffff"}
MINUTES = 60 + 74  # of a sparkline, and what its rule looks back


@pytest.fixture(scope="module")
def conn() -> Iterator[Connection]:
    """Three thousand incidents, of which twenty are not resolved, and two hundred minutes of each of their series."""
    url = servers.fresh_database()
    connection = Connection(settings.read({"DATABASE_URL": url}).database)
    api_data.organisations(connection, Random(1))
    values = {"now": int(NOW.timestamp()) // 60, "series": 600, "incidents": 3_000, "minutes": 200}
    tables = ("series", "buckets", "incidents", "incident_events", "ai_jobs", "deploys")
    for statement in (api_data.SERIES_ROWS, api_data.BUCKET_ROWS, api_data.INCIDENT_ROWS, api_data.EVENT_ROWS,
                      api_data.TIMELINE, api_data.JOBS, api_data.DEPLOYS):  # fmt: skip
        connection.run(statement, **values)
    for table in tables:
        connection.run(f"VACUUM ANALYZE {table}")
    yield connection
    connection.close()
    servers.drop_database(url)


def parameters(narrowed: Narrowed = Narrowed()) -> dict[str, object]:  # noqa: B008 (a value)
    return rows.parameters(HERE._replace(narrowed=narrowed))


@pytest.mark.parametrize("narrowed", [Narrowed(), Narrowed(project="bench-shop"), Narrowed(environment="prod")])
@pytest.mark.parametrize("place", [FIRST, HALFWAY], ids=["first", "halfway"])
@pytest.mark.parametrize("query", [rows.RESOLVED, rows.ALL], ids=["resolved", "all"])
def test_a_page_of_incidents(conn: Connection, query: str, place: dict[str, object], narrowed: Narrowed) -> None:
    """An incident twice, its series, the minutes and deploys of its sparkline."""
    assert rows_read(conn, query, parameters(narrowed) | place) <= (ROWS + 1) * (3 + MINUTES + 15 + 10)


def test_what_is_not_resolved_is_ranked_without_reading_the_rest(conn: Connection) -> None:
    assert rows_read(conn, rows.UNRESOLVED, parameters() | FIRST) <= UNRESOLVED * (4 + MINUTES + 10)


def test_one_incident(conn: Connection) -> None:
    [[incident]] = conn.run("SELECT id::text FROM incidents WHERE status = 'open' ORDER BY opened_at LIMIT 1")
    shown = 80 + 70 + 180 + 30 + 50  # minutes, deploys, events
    assert rows_read(conn, whole.ONE, parameters() | {"incident": incident}) <= shown + 60
    assert rows_read(conn, whole.VERSION, {"org": "bench", "incident": incident}) <= 12


def test_the_first_page_reads_counts_and_little_else(conn: Connection) -> None:
    values = {"org": "bench", "now": NOW, "minute": int(NOW.timestamp()) // 60, "follows": 30}
    values |= {"from": (NOW - timedelta(days=3)).date().isoformat()}
    opened_in_two_days = 2 * 1_440 // 4  # counts are counted
    assert rows_read(conn, overview.QUERY, values) <= opened_in_two_days + 600
    assert rows_read(conn, overview.VERSION, {"org": "bench", "from": values["from"]}) <= 5
