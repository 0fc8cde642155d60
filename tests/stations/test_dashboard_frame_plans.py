"""What every page asks, and what AI jobs and Setup ask at each refresh, stays small however much there is."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from random import Random

import pytest

from common import settings
from common.clients.postgres import ai, incidents, partitions, projects
from common.clients.postgres.ai import Narrowing
from common.clients.postgres.connection import Connection
from local.bench import api_data
from tests import servers
from tests.plans import rows_read

NOW = datetime.now(UTC)
ROWS = 25
ACTIVITY = api_data.ACTIVITY.replace(":now) m", ":now, 6) m")  # a part of it is enough for plans to be the same


@pytest.fixture(scope="module")
def conn() -> Iterator[Connection]:
    """Three thousand incidents with a job each, and a month of activity of one project; another has sent nothing."""
    url = servers.fresh_database()
    connection = Connection(settings.read({"DATABASE_URL": url}).database)
    api_data.organisations(connection, Random(1))
    connection.run("INSERT INTO projects (id, org_id, name) VALUES ('bench-new', 'bench', 'New')")
    partitions.make(connection, "activity", partitions.DAY, NOW.date() - timedelta(days=32), NOW.date())
    values = {"now": int(NOW.timestamp()) // 60, "series": 600, "incidents": 3_000, "minutes": 1}
    for statement in (api_data.SERIES_ROWS, api_data.INCIDENT_ROWS, api_data.JOBS, ACTIVITY):
        connection.run(statement, **values)
    for table in ("incidents", "ai_jobs", "activity"):
        connection.run(f"VACUUM ANALYZE {table}")
    connection.run("SET enable_seqscan = off")  # a day of eight rows is read faster whole; a real one is not
    yield connection
    connection.close()
    servers.drop_database(url)


def test_how_many_need_someone_reads_those_that_are_not_resolved(conn: Connection) -> None:
    [[unresolved]] = conn.run("SELECT count(*) FROM incidents WHERE org_id = 'bench' AND status <> 'resolved'")
    assert rows_read(conn, incidents.STANDING, {"org": "bench"}) <= 2 * unresolved + 2


def test_when_a_job_last_changed_is_one_row(conn: Connection) -> None:
    assert rows_read(conn, ai.CHANGED, {"org": "bench"}) <= 5


@pytest.mark.parametrize("narrowing", [Narrowing(status="failed"), Narrowing(other_than="failed")])
def test_a_page_of_jobs(conn: Connection, narrowing: Narrowing) -> None:
    values = {"org": "bench", "limit": ROWS + 1, "at": None, "id": None} | narrowing._asdict()
    assert rows_read(conn, ai.LIST, values) <= 3 * ROWS


@pytest.mark.parametrize("project", ["bench-shop", "bench-new"])
def test_waiting_for_a_first_event_reads_a_row_of_each_day_at_most(conn: Connection, project: str) -> None:
    assert rows_read(conn, projects.FIRST_COUNTED, {"org": "bench", "project": project}) <= 40
