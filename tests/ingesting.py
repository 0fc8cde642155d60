"""Ingest as a process under functions-framework, with a project of its own, and what it put on the stream."""

import json
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

from common import credentials, settings, topics
from common.clients.postgres.connection import Connection
from common.clients.stream import stream_for, upkeep
from common.edge.records import Record
from local.hosts import web
from local.hosts.call import Answer
from tests import servers

SOURCE = "functions/ingest/main.py"
ENGINES = ("postgres", "kafka")
EVENT = {"event_type": "error", "occurred_at": "2025-01-15T10:00:00Z", "message": "boom"}


class Ingest:
    """One process, one project. `database_url` may be a cluster of the test's own, to freeze or to stop."""

    def __init__(self, engine: str, home: Path, database_url: str = "", *, log_statements: bool = False) -> None:
        self.engine, self.own_database = engine, not database_url
        self.url = database_url or servers.fresh_database()
        if log_statements:
            log_every_statement(self.url)
        self.environ = {"DATABASE_URL": self.url}
        if engine == "kafka":
            self.environ |= {"KAFKA_BROKERS": servers.broker().brokers}
        self.settings = settings.read(self.environ)
        self.conn = Connection(self.settings.database)
        if engine == "kafka":
            upkeep.make(self.conn, self.settings, datetime.now(UTC).date(), 1)
        self.project, self.key = new_project(self.conn)
        self.stream = stream_for(self.settings)
        self._reader = self.stream.reader(topics.RAW, f"test-{uuid4().hex}")
        self._read: dict[tuple[int, int], Record] = {}
        self._given = 0
        self.host = web.functions_framework(SOURCE, home, self.environ, servers.ROOT)

    def post(
        self,
        body: object,
        path: str = "/v1/events",
        *,
        key: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Anything but bytes is sent as JSON."""
        given = {"x-api-key": self.key if key is None else key, "content-type": "application/json"}
        sent = body if isinstance(body, bytes) else json.dumps(body).encode()
        return self.host.request(
            "POST", path, {name: value for name, value in (given | dict(headers or {})).items() if value}, sent
        )

    def batch(self, body: object, **more: Any) -> Answer:
        return self.post(body, "/v1/events/batch", **more)

    def records(self, count: int, seconds: float = 20) -> list[Record]:
        """The project's next records on the stream, by partition and offset; fewer if they do not come."""
        until = time.monotonic() + seconds
        while len(self._mine()) < self._given + count and time.monotonic() < until:
            for record in self._reader.read(1000, 8_000_000, 0.2):
                self._read.setdefault((record.partition, record.offset), record)
        fresh = self._mine()[self._given :]
        self._given += len(fresh)
        return sorted(fresh, key=lambda record: (record.partition, record.offset))

    def close(self) -> None:
        self.host.stop()
        self._reader.close()
        self.stream.close()
        self.conn.close()
        if self.own_database:
            servers.drop_database(self.url)

    def _mine(self) -> list[Record]:
        mark = f'"project_id":"{self.project}"'.encode()
        return [record for record in self._read.values() if mark in (record.value or b"")]


def log_every_statement(url: str) -> None:
    owner = servers.postgres().connect()
    owner.run(f"ALTER DATABASE {url.rpartition('/')[2]} SET log_statement = 'all'")
    owner.close()


def new_project(conn: Connection, events_per_minute: int | None = None) -> tuple[str, str]:
    """A project of organisation `acme`, and a key of it."""
    project = f"p{uuid4().hex[:10]}"
    conn.run("INSERT INTO orgs (id, name) VALUES ('acme', 'Acme') ON CONFLICT DO NOTHING")
    conn.run(
        "INSERT INTO projects (id, org_id, name, events_per_minute) VALUES (:id, 'acme', 'Shop', :most)",
        id=project,
        most=events_per_minute,
    )
    return project, new_key(conn, project)


def new_key(conn: Connection, project: str) -> str:
    key = invented_key()
    conn.run(
        "INSERT INTO project_api_keys (project_id, key_hash) VALUES (:project, :hash)",
        project=project,
        hash=credentials.digest(key),
    )
    return key


def invented_key() -> str:
    """One that looks right, and that no database knows."""
    return credentials.mint(credentials.PROJECT_KEY, uuid4().bytes + uuid4().bytes[:8])


def event(**fields: object) -> dict[str, object]:
    return EVENT | fields
