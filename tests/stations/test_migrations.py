"""Migrations: each once, never edited, safe to run twice at once, and what they promise."""

import threading
from pathlib import Path

import pytest

from common import settings
from common.clients.postgres import schema
from common.clients.postgres.connection import Conflict, Connection
from common.errors import Misconfigured
from local.servers.postgres import ROLE
from migrations.apply import Migration, apply, migrations, not_applied
from tests import servers

# What spec'd names other people's tools rely on; more columns may stand beside them.
COLUMNS = {
    "orgs": "id name created_at",
    "projects": "id org_id name created_at",
    "project_api_keys": "id project_id key_hash created_at revoked_at last_used_at",
    "incidents": "id org_id project_id environment fingerprint status severity title opened_at last_seen_at "
    "resolved_at",
    "incident_events": "id incident_id event_id occurred_at event_type severity attributes_json",
    "metrics_buckets": "id org_id project_id environment metric_name fingerprint bucket_start bucket_seconds value "
    "updated_at",
    "ai_jobs": "id incident_id job_type status attempt_count max_attempts run_after leased_until last_error created_at "
    "updated_at",
    "ai_outputs": "id incident_id output_type model content_json created_at",
}


@pytest.fixture
def empty(database_url: str) -> Connection:
    """A connection to a database in which nothing was applied yet."""
    name = database_url.rpartition("/")[2]
    owner = servers.postgres().connect()
    owner.run(f"DROP DATABASE {name}")
    owner.run(f"CREATE DATABASE {name} OWNER {ROLE}")
    owner.close()
    return Connection(settings.read({"DATABASE_URL": database_url}).database)


def test_the_release_knows_exactly_the_migrations_it_ships() -> None:
    assert [one.version for one in migrations()][-1] == schema.KNOWN


def test_each_is_applied_once(empty: Connection) -> None:
    assert apply(empty, migrations()) == migrations()
    assert apply(empty, migrations()) == []
    empty.close()


def test_two_at_once_wait_for_each_other(empty: Connection, database: settings.Postgres) -> None:
    applied: list[int] = []

    def run() -> None:
        conn = Connection(database)
        applied.append(len(apply(conn, migrations())))
        conn.close()

    threads = [threading.Thread(target=run) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(applied) == [0, 0, len(migrations())]
    empty.close()


def test_an_edited_migration_is_refused_with_the_remedy() -> None:
    [first, *_] = migrations()
    with pytest.raises(Misconfigured, match="was edited after it was applied"):
        not_applied({1: "another checksum"}, [first])


def test_a_failing_migration_leaves_nothing_behind(empty: Connection) -> None:
    broken = Migration(1, "0001_broken.sql", "CREATE TABLE half (id int); SELECT 1 / 0;", 1)
    with pytest.raises(Exception, match="division by zero"):
        apply(empty, [broken])
    assert empty.run("SELECT to_regclass('half')") == [[None]]
    assert apply(empty, migrations())
    empty.close()


def test_a_missing_number_is_a_bug(tmp_path: Path) -> None:
    (tmp_path / "0002_second.sql").write_text("-- oldest release: 1\n")
    with pytest.raises(AssertionError, match="missing"):
        migrations(tmp_path)


@pytest.mark.parametrize("table", COLUMNS)
def test_the_columns_others_rely_on_are_there(conn: Connection, table: str) -> None:
    found = conn.run("SELECT column_name FROM information_schema.columns WHERE table_name = :table", table=table)
    assert set(COLUMNS[table].split()) <= {name for [name] in found}


def test_the_functions_role_is_no_superuser(conn: Connection) -> None:
    [[role, superuser]] = conn.run("SELECT rolname, rolsuper FROM pg_roles WHERE rolname = current_user")
    assert (role, superuser) == (ROLE, False)


@pytest.mark.parametrize(
    ("sql", "constraint"),
    [
        ("INSERT INTO orgs (id, name) VALUES ('Not An Id', 'x')", "orgs_id_check"),
        (
            "INSERT INTO project_api_keys (project_id, key_hash) VALUES ('p', 'plain key')",
            "project_api_keys_key_hash_check",
        ),
        (
            "INSERT INTO access_tokens (org_id, name, role, token_hash) VALUES ('o', 'n', 'root', repeat('0', 64))",
            "access_tokens_role_check",
        ),
        ("INSERT INTO ai_jobs (status) VALUES ('running')", "ai_jobs_check1"),
    ],
)
def test_the_database_keeps_the_promise(conn: Connection, sql: str, constraint: str) -> None:
    with pytest.raises(Conflict) as caught:
        conn.run(sql)
    assert caught.value.constraint == constraint


def test_one_unresolved_incident_for_one_failing_thing(conn: Connection) -> None:
    conn.run(
        "INSERT INTO orgs (id, name) VALUES ('o', 'O'); INSERT INTO projects (id, org_id, name) VALUES ('p', 'o', 'P')"
    )
    conn.run(
        "INSERT INTO series (id, org_id, project_id, environment, metric_name, fingerprint) "
        "VALUES (gen_random_uuid(), 'o', 'p', 'prod', 'error_count', 'f')"
    )
    opened = """
        INSERT INTO incidents (id, series, org_id, project_id, environment, fingerprint, rule, status, prior_status,
            severity, title, opened_at, last_seen_at, window_minutes, observed, baseline, peak, event_count)
        SELECT gen_random_uuid(), id, 'o', 'p', 'prod', 'f', 'error_spike', 'open', 'open', 'error', 't', now(), now(),
               5, 30, 280, 30, 30 FROM series
    """
    conn.run(opened)
    assert conn.run("SELECT usual FROM incidents") == [[280 * 5 / 60]]
    with pytest.raises(Conflict) as caught:
        conn.run(opened)
    assert caught.value.constraint == "one_unresolved"
