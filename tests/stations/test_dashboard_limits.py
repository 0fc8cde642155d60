"""Four pages of an organisation are made at a time: whoever comes fifth waits, and nobody else does."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from time import monotonic

import pytest

from common import settings
from common.clients.postgres.connection import Connection
from tests.dashboard import Dashboard, Reader


@pytest.fixture
def lock(dashboard: Dashboard) -> Iterator[Connection]:
    """Another connection, on which a table can be kept from everybody."""
    conn = Connection(settings.read({"DATABASE_URL": dashboard.url}).database)
    yield conn
    conn.close()


def test_a_fifth_page_waits_until_one_of_four_is_made_and_another_organisation_does_not(
    dashboard: Dashboard, lock: Connection
) -> None:
    """However many others read slowly: a third organisation reads on, and whoever comes signs in."""
    mine, theirs, third = (dashboard.reader(token) for token in (viewer(dashboard) for _ in range(3)))
    newcomer = viewer(dashboard)
    with ThreadPoolExecutor(12) as pool:
        with lock.transaction():
            lock.run("LOCK TABLE deploys IN ACCESS EXCLUSIVE MODE")
            began = monotonic()
            stuck = [pool.submit(one.get, "/") for one in (mine, theirs) for _ in range(4)]
            while standing_still(dashboard) < 8:
                assert monotonic() - began < 4, "all eight read"
            fifth = pool.submit(mine.get, "/setup")  # asks nothing of the locked table
            assert third.get("/setup").status == 200
            assert not fifth.done()  # as quick as that one, but for its organisation's four
            assert Reader(dashboard).sign_in(newcomer).status == 303
        assert {one.result(30).status for one in stuck} <= {200, 503}  # on a slow machine some are given up
        assert fifth.result(30).status in (200, 429)


def viewer(dashboard: Dashboard) -> str:
    """Of an organisation of his own."""
    return dashboard.tenant().tokens["viewer"]


def standing_still(dashboard: Dashboard) -> int:
    query = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    [[count]] = dashboard.conn.run(query)
    return int(count)
