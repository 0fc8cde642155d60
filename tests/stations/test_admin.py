"""The command that makes a production's first token and mends a lock-out."""

import subprocess
import sys

import pytest

from common import credentials
from common.clients.postgres import keys, tokens
from common.clients.postgres.connection import Connection
from local.hosts.web import environment
from tests.servers import ROOT


class Admin:
    def __init__(self, url: str) -> None:
        self.url = url

    def __call__(self, *words: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [sys.executable, "-m", "local", "admin", *words],
            cwd=ROOT,
            env=environment({"DATABASE_URL": self.url}),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def secret(self, *words: str) -> str:
        """What it prints on stdout is the secret and nothing else."""
        done = self(*words)
        assert done.returncode == 0, done.stderr
        return done.stdout.removesuffix("\n")


@pytest.fixture
def admin(database_url: str) -> Admin:
    return Admin(database_url)


def test_an_empty_database_gets_its_first_token_and_key(admin: Admin, conn: Connection) -> None:
    assert admin("org", "create", "acme", "--name", "Acme").returncode == 0
    assert admin("project", "create", "shop", "--org", "acme").returncode == 0
    key = admin.secret("key", "create", "--org", "acme", "--project", "shop")
    assert keys.projects_of(conn, [credentials.digest(key)])[credentials.digest(key)].id == "shop"
    token = admin.secret("token", "create", "--org", "acme", "--name", "anna")
    caller = tokens.caller_of(conn, credentials.digest(token))
    assert caller
    assert (caller.org_id, caller.name, caller.role) == ("acme", "anna", "admin")
    whos = {who for [who] in conn.run("SELECT who FROM audit")}
    assert len(whos) == 1
    assert whos.pop().startswith("operator ")


def test_what_is_revoked_is_listed_as_such_and_lets_nobody_in(admin: Admin, conn: Connection) -> None:
    admin("org", "create", "acme")
    token = admin.secret("token", "create", "--org", "acme", "--name", "anna", "--role", "viewer")
    listed = dict(part.split("=", 1) for part in admin("token", "list", "--org", "acme").stdout.strip().split("\t"))
    assert (listed["name"], listed["role"]) == ("anna", "viewer")
    assert token not in str(listed)
    assert admin("token", "revoke", listed["id"], "--org", "acme").returncode == 0
    assert tokens.caller_of(conn, credentials.digest(token)) is None
    assert "revoked_at=" in admin("token", "list", "--org", "acme").stdout


def test_a_project_gets_limits_and_loses_them(admin: Admin, conn: Connection) -> None:
    admin("org", "create", "acme")
    admin("project", "create", "shop", "--org", "acme")
    key = credentials.digest(admin.secret("key", "create", "--org", "acme", "--project", "shop"))
    done = admin("project", "limit", "shop", "--org", "acme", "--events-per-minute", "6000")
    assert "6000 events a minute" in done.stderr
    assert keys.projects_of(conn, [key])[key].events_per_minute == 6000
    assert "events_per_minute=6000" in admin("project", "list", "--org", "acme").stdout
    assert admin("project", "limit", "shop", "--org", "acme", "--ai-tokens-per-day", "50000").returncode == 0
    assert conn.run("SELECT events_per_minute, ai_tokens_per_day FROM projects") == [[None, 50_000]]
    assert conn.run("SELECT count(*) FROM audit WHERE what = 'limited'") == [[2]]
    assert admin("project", "limit", "shop", "--org", "acme", "--events-per-minute", "0").returncode == 2


def test_an_organisation_is_locked_as_a_whole(admin: Admin, conn: Connection) -> None:
    admin("org", "create", "acme")
    admin("project", "create", "shop", "--org", "acme")
    token = admin.secret("token", "create", "--org", "acme", "--name", "anna")
    key = admin.secret("key", "create", "--org", "acme", "--project", "shop")
    assert admin("org", "revoke", "acme").returncode == 0
    assert tokens.caller_of(conn, credentials.digest(token)) is None
    assert not keys.projects_of(conn, [credentials.digest(key)])


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["token", "create", "--name", "anna"], "--org is needed"),
        (["token", "create", "--org", "nowhere", "--name", "anna"], "no organisation 'nowhere'"),
        (["token", "create", "--org", "nowhere", "--name", "Clock"], "Choose another name."),  # else it is nobody's act
        (["org", "create", "Acme!"], "a-z"),
        (["key", "create", "--org", "nowhere", "--project", "shop"], "no such project"),
        (["token", "revoke", "1", "--org", "nowhere"], "list"),
        (["project", "limit", "shop", "--org", "nowhere"], "no such project"),
        (["token", "limit", "anna", "--org", "nowhere"], "Only a project has limits"),
    ],
)
def test_what_is_wrong_is_one_sentence(admin: Admin, words: list[str], said: str) -> None:
    done = admin(*words)
    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
