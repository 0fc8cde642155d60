"""No question costs more than its asker: reads that stand still are given up, and hold nobody else up."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from time import monotonic

import pytest

from common.clients.postgres import paging
from common.clients.postgres.connection import Connection
from tests.shop import Shop


@pytest.fixture
def shop(tmp_path: Path, database_url: str) -> Iterator[Shop]:
    shop = Shop(tmp_path, database_url).move_in()
    yield shop
    shop.close()


def test_reads_that_stand_still_are_given_up_and_hold_nobody_else_up(shop: Shop, conn: Connection) -> None:
    other = shop.tenant()
    with ThreadPoolExecutor(8) as pool, conn.transaction():
        conn.run("LOCK TABLE deploys IN ACCESS EXCLUSIVE MODE")
        began = monotonic()
        stuck = [pool.submit(shop.get, "/v1/deploys") for _ in range(4)]
        while waiting(shop) < 4:
            assert monotonic() - began < 4, "all four read"
        fifth = pool.submit(shop.get, "/v1/incidents")
        neighbour = shop.get("/v1/incidents", other.tokens["viewer"])
        assert neighbour.status == 200
        assert not fifth.done()  # its organisation has four under way
        assert {answer.result(30).status for answer in stuck} == {503}
        assert fifth.result(30).status in (200, 429)
    refused = stuck[0].result()
    assert (refused.json()["code"], refused.header("retry-after")) == ("unavailable", "5")
    assert shop.get("/v1/deploys").status == 200


def waiting(shop: Shop) -> int:
    query = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    [[count]] = shop.conn.run(query)
    return int(count)


def test_a_page_of_rows_ends_where_an_answer_would_be_too_large(conn: Connection) -> None:
    rows = "SELECT n, n::text, to_json(repeat('ä', 200000))::text FROM generate_series(1, 5) n LIMIT :limit"
    page = paging.page(conn, rows, 4)
    assert (len(page.items), page.next) == (1, "1~1")
