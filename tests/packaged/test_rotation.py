"""Secrets that change in their files between two calls of one process: a database password, an internal key."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import pytest

from common.clients.postgres.connection import Connection
from local.hosts.call import Host
from tests import servers
from tests.packaged.conftest import PLATFORMS, Deployment, Deployments, end

KEYS = ("old", "new")
EVENT = {"event_type": "error", "severity": "error", "message": "m"}


class Login:
    """A role of its own in a platform's database, whose password lies in a file."""

    def __init__(self, deployment: Deployment, folder: Path) -> None:
        self.deployment, self.file, self.role = deployment, folder / "url", f"r{uuid4().hex}"
        self.owner: Connection = servers.postgres().connect()
        where = deployment.settings.database
        self.at = f"{where.host}:{where.port}/{where.database}"
        self.owner.run(f"CREATE ROLE {self.role} LOGIN PASSWORD 'first' IN ROLE {where.user}")
        self.write("first")

    def write(self, password: str) -> None:
        self.file.write_text(f"postgresql://{self.role}:{password}@{self.at}\n")

    def change(self, password: str) -> None:
        """In the database alone; who is connected stays connected."""
        self.owner.run(f"ALTER ROLE {self.role} PASSWORD '{password}'")

    def disconnect(self) -> None:
        self.owner.run("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = :role", role=self.role)

    def remove(self) -> None:
        self.disconnect()
        self.owner.run(f"DROP ROLE {self.role}")
        self.owner.close()


@pytest.fixture(params=PLATFORMS)
def deployment(request: pytest.FixtureRequest, on: Deployments) -> Deployment:
    return on(request.param)


@pytest.fixture
def login(deployment: Deployment, tmp_path: Path) -> Iterator[Login]:
    made = Login(deployment, tmp_path)
    yield made
    made.remove()


def post(host: Host, key: str) -> int:
    body = json.dumps(EVENT | {"occurred_at": datetime.now(UTC).isoformat()}).encode()
    return host.request("POST", "/v1/events", {"x-api-key": key, "content-type": "application/json"}, body).status


def test_a_database_password_is_taken_up_by_a_process_that_runs(deployment: Deployment, login: Login) -> None:
    host = deployment.start_with("ingest", {"DATABASE_URL_FILE": str(login.file), "WORKERS": "1"})
    try:
        assert post(host, deployment.key) == 202
        login.change("second")
        assert post(host, deployment.key) == 202, "the connection that is open goes on"
        login.disconnect()
        assert post(host, deployment.key) == 503, "until the file says so, the old password is refused"
        login.write("second")
        assert post(host, deployment.key) == 202
    finally:
        end(host)


def test_an_internal_key_is_taken_up_by_a_process_that_runs(deployment: Deployment, tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text("old")
    environ = {"DATABASE_URL": deployment.url, "INTERNAL_KEY_FILE": str(file), "WORKERS": "1"}
    host = deployment.start_with("incident_engine", environ)

    def let_in() -> list[str]:
        headers = {"content-type": "application/json"}
        asked = {key: host.request("POST", "/", headers | {"x-internal-key": key}, b'{"records":{}}') for key in KEYS}
        return [key for key, answer in asked.items() if answer.status == 200]

    try:
        assert let_in() == ["old"]
        file.write_text("new,old")
        assert let_in() == ["old", "new"]
        file.write_text("new\n")
        assert let_in() == ["new"]
    finally:
        end(host)
