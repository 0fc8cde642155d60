"""The Postgres client against the real thing: quoting, transactions, loss, forks, idle connections, full servers."""

import os
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pg8000.exceptions import DatabaseError

from common import settings
from common.clients.postgres import database as pool
from common.clients.postgres import schema
from common.clients.postgres.connection import Conflict, Connection
from common.clients.postgres.database import Database
from common.clients.postgres.quoting import quote, render
from common.errors import Misconfigured, Unavailable
from local.servers.postgres import OWNER
from tests import servers

WHEN = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)


@pytest.fixture(scope="module")
def plain() -> Iterator[Connection]:
    connection = servers.postgres().connect()
    yield connection
    connection.close()


@given(text=st.text(alphabet=st.characters(exclude_characters="\x00", exclude_categories=["Cs"])))
def test_any_text_comes_back_as_it_went(plain: Connection, text: str) -> None:
    assert plain.run("SELECT :text::text", text=text) == [[text]]


@given(text=st.text(alphabet="'\\;:-\"$%\n{} a", max_size=40))
def test_no_text_ends_its_literal(plain: Connection, text: str) -> None:
    assert plain.run("SELECT :a::text, :b::text", a=text, b=text) == [[text, text]]


@pytest.mark.parametrize(
    "value", [None, True, False, 0, -5, 2**62, 1.5, -0.1, "", b"\x00\xff", WHEN, UUID(int=7)], ids=repr
)
def test_values_come_back_as_they_went(plain: Connection, value: object) -> None:
    assert plain.run(f"SELECT {quote(value)}") == [[value]]


def test_lists_and_naked_times_are_bugs() -> None:
    with pytest.raises(TypeError, match="JSON text"):
        quote([1, 2])
    with pytest.raises(AssertionError):
        quote(WHEN.replace(tzinfo=None))
    with pytest.raises(ValueError, match="NUL"):
        quote("a\x00b")


def test_casts_and_times_of_day_are_no_placeholders() -> None:
    assert render("SELECT :a::int, '12:30'", {"a": 1}) == "SELECT 1::int, '12:30'"
    with pytest.raises(KeyError):
        render("SELECT :missing", {"a": 1})


def test_a_transaction_is_kept_whole_or_not_at_all(conn: Connection) -> None:
    with pytest.raises(DatabaseError, match="division"), conn.transaction():  # noqa: PT012
        conn.run("INSERT INTO orgs (id, name) VALUES ('a', 'A')")
        conn.run("SELECT 1 / 0")
    assert conn.run("SELECT count(*) FROM orgs") == [[0]]


def test_the_name_of_a_broken_promise_reaches_the_caller(conn: Connection) -> None:
    with pytest.raises(Conflict) as caught:
        conn.run("INSERT INTO projects (id, org_id, name) VALUES ('p', 'nobody', 'P')")
    assert caught.value.constraint == "projects_org_id_fkey"
    assert conn.run("SELECT 1") == [[1]]


def test_a_lost_connection_is_unavailable_once_and_then_made_anew(database: settings.Postgres) -> None:
    mine = Database(1, lambda: database)
    with mine.connection() as conn, pytest.raises(Unavailable):
        conn.run("SELECT pg_terminate_backend(pg_backend_pid())")
    with mine.connection() as conn:
        assert conn.run("SELECT 1") == [[1]]
    mine.close()


def test_a_connection_that_died_while_idle_is_never_lent(database: settings.Postgres, conn: Connection) -> None:
    mine = Database(1, lambda: database)
    with mine.connection() as lent:
        [[pid]] = lent.run("SELECT pg_backend_pid()")
    conn.run("SELECT pg_terminate_backend(:pid, 5000)", pid=pid)
    with mine.connection() as lent:
        assert lent.run("SELECT pg_backend_pid()") != [[pid]]
    mine.close()


def test_a_full_server_is_unavailable(database: settings.Postgres) -> None:
    server, role = servers.postgres(), "crowded"
    owner = server.connect()
    owner.run(f"CREATE ROLE {role} LOGIN CONNECTION LIMIT 0 PASSWORD 'x'")
    with pytest.raises(Unavailable, match="too many connections"):
        Connection(settings.read({"DATABASE_URL": f"postgresql://{role}:x@127.0.0.1:{server.port}/signals"}).database)
    owner.close()


def test_nobody_waits_longer_than_told_for_a_busy_connection(
    database: settings.Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pool, "WAIT_SECONDS", 0.05)
    mine = Database(1, lambda: database)
    with mine.connection(), pytest.raises(Unavailable, match="busy"), mine.connection():
        pass
    mine.close()


def test_threads_never_share_a_connection(database: settings.Postgres) -> None:
    mine, together = Database(3, lambda: database), threading.Barrier(3)
    pids: list[int] = []

    def use() -> None:
        with mine.connection() as conn:
            together.wait(10)
            pids.append(conn.run("SELECT pg_backend_pid()")[0][0])

    threads = [threading.Thread(target=use) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(pids)) == 3
    mine.close()


def test_an_idle_connection_is_closed(database: settings.Postgres, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pool, "IDLE_SECONDS", 0.05)
    mine = Database(1, lambda: database)
    with mine.connection() as conn:
        pass
    for _ in range(100):
        if conn.broken:
            break
        threading.Event().wait(0.05)
    assert conn.broken, "it was still open after a hundred times the idle time"


def test_a_forked_child_opens_its_own(database: settings.Postgres) -> None:
    mine = Database(1, lambda: database)
    with mine.connection() as conn:
        [[parents]] = conn.run("SELECT pg_backend_pid()")
    reader, writer = os.pipe()
    if (child := os.fork()) == 0:
        with mine.connection() as conn:
            os.write(writer, str(conn.run("SELECT pg_backend_pid()")[0][0]).encode())
        os._exit(0)
    os.waitpid(child, 0)
    assert int(os.read(reader, 20)) != parents
    with mine.connection() as conn:
        assert conn.run("SELECT pg_backend_pid()") == [[parents]]
    for end in (reader, writer):
        os.close(end)
    mine.close()


def test_a_wrong_password_names_the_user_not_the_password() -> None:
    url = f"postgresql://signals:wrong-one@127.0.0.1:{servers.postgres().port}/signals"
    with pytest.raises(Unavailable, match='password authentication failed for user "signals"') as caught:
        Connection(settings.read({"DATABASE_URL": url}).database)
    assert "wrong-one" not in str(caught.value)


@pytest.mark.parametrize(
    ("found", "oldest_release", "sentence"),
    [
        (3, 1, "has schema 3, this release needs 4"),
        (5, 5, "needs a release that knows schema 5"),
    ],
)
def test_a_schema_too_old_or_too_new_says_both_versions(found: int, oldest_release: int, sentence: str) -> None:
    with pytest.raises(Misconfigured, match=sentence):
        schema.check(found, oldest_release, known=4)


def test_a_newer_schema_that_only_added_is_fine() -> None:
    schema.check(9, 4, known=4)


def test_a_process_does_not_start_on_an_unmigrated_database() -> None:
    url = servers.postgres().url(OWNER, "postgres")
    mine = Database(1, lambda: settings.read({"DATABASE_URL": url}).database)
    with pytest.raises(Misconfigured, match="has schema 0"), mine.connection():
        pass
