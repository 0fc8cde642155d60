"""What only Postgres can do to us: one bad row among many, writers in each other's way, plans that read too much."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from common import settings
from common.clients.postgres.connection import Connection
from common.clients.search import Search, ask, search_for
from common.clients.search.postgres import PRUNE, _where
from common.errors import Unavailable
from tests.stations.test_search_contract import T0, sealed

ORDER = "ORDER BY at DESC, event_id DESC, project_id DESC"
# Stands for whatever Postgres may find wrong with a row that we did not foresee.
TRAP = """
    CREATE FUNCTION trap() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF NEW.event->>'message' LIKE 'bad%' THEN RAISE 'no such thing' USING ERRCODE = '22023'; END IF;
        RETURN NEW;
    END $$;
    CREATE TRIGGER trap BEFORE INSERT ON events FOR EACH ROW EXECUTE FUNCTION trap();
"""


@pytest.fixture
def search(database_url: str) -> Search:
    return search_for(settings.read({"DATABASE_URL": database_url}))


def test_the_rows_postgres_refuses_are_found_and_the_others_are_kept(conn: Connection, search: Search) -> None:
    conn.simple(TRAP)
    names = ["good", "bad 1", "good", "good", "bad 4", "good", "bad 6"]
    refused = search.index([sealed("acme", name) for name in names])
    assert [(one.index, one.code) for one in refused] == [(index, "not_indexable") for index in (1, 4, 6)]
    assert "no such thing" in refused[0].detail
    assert search.find(ask("acme", "good")).total == 4


def test_a_batch_that_comes_again_writes_nothing(conn: Connection, search: Search) -> None:
    batch = [sealed("acme", f"event {n}") for n in range(50)]
    versions = "SELECT ctid::text, xmin::text FROM events ORDER BY event_id"
    search.index(batch)
    before = conn.run(versions)
    search.index(batch)
    assert conn.run(versions) == before


def test_writers_of_the_same_events_in_other_orders_never_deadlock(database_url: str) -> None:
    ids = [UUID(int=n) for n in range(300)]

    def write(turn: int) -> None:
        search = search_for(settings.read({"DATABASE_URL": database_url}))
        for again in range(5):
            order = ids if turn % 2 else ids[::-1]
            search.index([sealed("acme", f"version {turn} {again}", event_id=one) for one in order])
        search.close()

    with ThreadPoolExecutor(4) as pool:
        for done in [pool.submit(write, turn) for turn in range(4)]:
            done.result()


def test_pruning_waits_for_nobody(conn: Connection, search: Search, database: settings.Postgres) -> None:
    search.index([sealed("acme", f"event {n}", event_id=UUID(int=n)) for n in range(10)])
    other = Connection(database, answer_seconds=5)
    with conn.transaction():
        conn.run("UPDATE events SET severity = 'warn' WHERE event_id = :id", id=UUID(int=3))
        assert other.run(PRUNE, before=T0 + timedelta(days=1), most=100) == [[9]]
    other.close()


def explained(conn: Connection, sql: str) -> str:
    return "\n".join(row[0] for row in conn.run(f"EXPLAIN (ANALYZE, TIMING OFF, COSTS OFF) {sql}"))


def test_rows_read_are_in_proportion_to_rows_shown(conn: Connection, search: Search) -> None:
    for org in ("acme", "big"):
        for part in range(4):
            search.index(
                [
                    sealed(org, f"common n{n} {'rare' if n == part else ''}", occurred_at=T0 - timedelta(seconds=n))
                    for n in range(1000)
                ]
            )
    conn.simple("ANALYZE events")
    page = "SELECT event FROM events WHERE {} " + ORDER + " LIMIT 51"
    assert "Seq Scan" not in (newest := explained(conn, page.format(_where(ask("acme")))))
    assert "rows=51" in newest
    common = explained(conn, page.format(_where(ask("acme", "common"))))
    assert "Sort" not in common  # the newest come from the index, in their order
    rare = explained(conn, page.format(_where(ask("acme", "rare -missing"))))
    assert "events_words_idx" in rare
    by_id = explained(conn, page.format(_where(ask("acme", f"event_id:{uuid4()}"))))
    assert "Seq Scan" not in by_id
    old = explained(conn, "SELECT ctid FROM events WHERE received_at < '2001-01-01' ORDER BY received_at LIMIT 10")
    assert "events_received_at_idx" in old


def test_a_database_that_is_not_there_is_unavailable() -> None:
    with pytest.raises(Unavailable):
        search_for(settings.read({"DATABASE_URL": "postgresql://a:b@127.0.0.1:1/signals"})).find(ask("acme"))
