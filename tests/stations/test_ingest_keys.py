"""Project keys and allowances on a real Postgres: what is asked, what is noted, and what two instances share."""

import asyncio
import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest

from common import settings
from common.clients.postgres import keys
from common.clients.postgres.connection import Connection
from common.clients.postgres.keys import Project
from common.credentials import digest
from common.errors import Problem
from functions.ingest.allowance import Allowances
from local.hosts.call import Answer
from tests import servers
from tests.ingesting import EVENT, Ingest, invented_key, new_key, new_project


@pytest.fixture(scope="module")
def ingest(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ingest]:
    made = Ingest("postgres", tmp_path_factory.mktemp("ingest"), log_statements=True)
    yield made
    made.close()


@pytest.fixture
def other(database: settings.Postgres) -> Iterator[Connection]:
    connection = Connection(database)
    yield connection
    connection.close()


def last_used(conn: Connection, key: str) -> str | None:
    query = "SELECT last_used_at::text FROM project_api_keys WHERE key_hash = :hash"
    [[at]] = conn.run(query, hash=digest(key))
    return None if at is None else str(at)


def test_valid_keys_are_found_revoked_and_unknown_ones_are_not(conn: Connection) -> None:
    project, key = new_project(conn, events_per_minute=600)
    revoked = new_key(conn, project)
    conn.run("UPDATE project_api_keys SET revoked_at = now() WHERE key_hash = :hash", hash=digest(revoked))
    asked = [digest(one) for one in (key, revoked, invented_key())]
    assert keys.projects_of(conn, asked) == {digest(key): Project(project, "acme", 600)}
    assert keys.projects_of(conn, []) == {}


def test_a_key_is_marked_as_used_at_most_once_a_minute(conn: Connection) -> None:
    _, key = new_project(conn)
    assert keys.mark_used(conn, [digest(key)]) == 1
    first = last_used(conn, key)
    assert keys.mark_used(conn, [digest(key)]) == 0
    assert last_used(conn, key) == first
    conn.run("UPDATE project_api_keys SET last_used_at = now() - interval '61 s'")
    assert keys.mark_used(conn, [digest(key), digest(invented_key())]) == 1


def test_marking_never_waits_for_a_key_that_somebody_is_changing(conn: Connection, other: Connection) -> None:
    project, key = new_project(conn)
    second = new_key(conn, project)
    with other.transaction():
        other.run("UPDATE project_api_keys SET revoked_at = now() WHERE key_hash = :hash", hash=digest(key))
        conn.answer_within(5)
        assert keys.mark_used(conn, [digest(key), digest(second)]) == 1
    assert last_used(conn, key) is None


def test_what_was_taken_of_a_minute_is_told_to_the_next(conn: Connection, other: Connection) -> None:
    project, _ = new_project(conn)
    wait_for_a_minute_that_lasts(conn)
    assert [keys.take(one, project, 10).before for one in (conn, other, conn)] == [0, 10, 20]
    assert 0 < keys.take(conn, project, 1).seconds_left <= 60


def test_two_instances_at_once_never_take_the_same(database: settings.Postgres, conn: Connection) -> None:
    project, _ = new_project(conn)
    wait_for_a_minute_that_lasts(conn)

    def take_ten(_: int) -> list[int]:
        mine = Connection(database)
        befores = [keys.take(mine, project, 5).before for _ in range(10)]
        mine.close()
        return befores

    with ThreadPoolExecutor(4) as together:
        befores = sorted(before for some in together.map(take_ten, range(4)) for before in some)
    assert befores == list(range(0, 200, 5))


@pytest.mark.parametrize(
    ("minutes_ahead", "before"),
    [
        (-1, 0),  # last minute's: gone
        (0, 50),
        (1, 50),  # the minute turned while somebody waited for the row
        (60, 0),  # the database's clock was wrong and is mended: nobody waits an hour
    ],
)
def test_a_row_of_another_minute(conn: Connection, minutes_ahead: int, before: int) -> None:
    project, _ = new_project(conn)
    wait_for_a_minute_that_lasts(conn)
    keys.take(conn, project, 50)
    conn.run("UPDATE allowances SET minute = minute + :ahead", ahead=minutes_ahead)
    assert keys.take(conn, project, 7).before == before
    assert keys.take(conn, project, 1).before == before + 7


def wait_for_a_minute_that_lasts(conn: Connection) -> None:
    """The database's minute must not turn in the middle of a test."""
    while conn.run("SELECT extract(second FROM now()) > 55") == [[True]]:
        time.sleep(0.2)


def test_the_use_of_a_key_is_noted_although_nobody_waits_for_it(ingest: Ingest) -> None:
    key = new_key(ingest.conn, ingest.project)
    assert ingest.post(EVENT, key=key).status == 202
    until = time.monotonic() + 10
    while last_used(ingest.conn, key) is None and time.monotonic() < until:
        time.sleep(0.02)
    assert last_used(ingest.conn, key) is not None
    ingest.records(1)


def test_a_table_that_cannot_be_written_fails_no_request(ingest: Ingest) -> None:
    first, second = (new_key(ingest.conn, ingest.project) for _ in range(2))
    with ingest.conn.transaction():
        ingest.conn.run("LOCK TABLE project_api_keys IN EXCLUSIVE MODE")  # reading goes on
        began = time.monotonic()
        assert ingest.post(EVENT, key=first).status == 202
        assert ingest.post(EVENT, key=second).status == 202
        assert time.monotonic() - began < 2, "they waited for what is noted on the side"
    ingest.records(2)


def test_a_storm_of_bad_keys_is_a_few_queries(ingest: Ingest) -> None:
    before = questions()
    with ThreadPoolExecutor(16) as together:
        answers = list(together.map(lambda _: ingest.post(EVENT, key=invented_key()).status, range(400)))
    assert set(answers) == {401}
    again = invented_key()
    assert {ingest.post(EVENT, key=again).status for _ in range(50)} == {401}
    assert 1 <= questions() - before <= 450 / 5


def questions() -> int:
    """How many look-ups the server's own log has."""
    process = servers.postgres().process
    assert process
    return process.log.read_text(errors="replace").count("SELECT k.key_hash")


def test_a_project_over_its_rate_is_refused_until_the_minute_turns(ingest: Ingest) -> None:
    wait_for_a_minute_that_lasts(ingest.conn)
    project, key = new_project(ingest.conn, events_per_minute=50)
    taken = [ingest.batch([EVENT] * 20, key=key) for _ in range(5)]
    assert [answer.status for answer in taken] == [202, 202, 202, 429, 429]
    assert [remaining(answer) for answer in taken] == [30, 10, 0, 0, 0]
    assert taken[0].header("ratelimit-policy") == '"events";q=50;w=60'
    refused = taken[4]
    assert refused.json()["code"] == "rate_limited"
    assert 1 <= int(refused.header("retry-after") or 0) <= 60
    assert ingest.post(EVENT, key=key).status == 429
    assert ingest.post(EVENT).status == 202  # another project's business
    assert rows_of(ingest, project) == 60


def remaining(answer: Answer) -> int:
    said = answer.header("ratelimit") or ""
    return int(said.partition(";r=")[2].partition(";")[0])


def rows_of(ingest: Ingest, project: str) -> int:
    query = "SELECT sum((length(body::text) - length(replace(body::text, :mark, ''))) / length(:mark)) FROM stream_log"
    [[count]] = ingest.conn.run(query, mark=f'"project_id":{json.dumps(project)}')
    return int(count)


def test_two_instances_share_one_rate(conn: Connection, other: Connection) -> None:
    project = Project(new_project(conn, events_per_minute=100)[0], "acme", 100)
    wait_for_a_minute_that_lasts(conn)
    instances = [Allowances(partial(keys.take, one), time.monotonic) for one in (conn, other)]

    async def taken(instance: Allowances, events: int) -> int:
        try:
            await instance.admit(project, events)
        except Problem:
            return 0
        return events

    async def traffic() -> int:
        return sum([await taken(instance, 30) for _ in range(20) for instance in instances])

    most = 100 + len(instances) * (30 + 10)
    assert 80 <= asyncio.run(traffic()) <= most
