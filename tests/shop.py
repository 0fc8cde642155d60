"""Core_api as a process, and two organisations that have the same of everything, made row by row."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Self
from uuid import UUID, uuid4

from common import credentials, settings
from common.clients.postgres.connection import Connection
from common.clients.search import search_for
from local.hosts import web
from local.hosts.call import Answer
from tests import servers

SOURCE = "functions/core_api/main.py"
START = datetime.now(UTC).replace(second=0, microsecond=0) - timedelta(hours=2)  # of whatever happened last
ROLES = ("viewer", "responder", "admin")


class Tenant:
    """One organisation: a project, a token of each role, incidents with all that belongs to them, events."""

    def __init__(self, conn: Connection, org: str, project: str) -> None:
        self.conn, self.org, self.project = conn, org, project
        conn.run("INSERT INTO orgs (id, name) VALUES (:org, 'An organisation')", org=org)
        conn.run("INSERT INTO projects (id, org_id, name) VALUES (:id, :org, 'Shop')", id=project, org=org)
        self.tokens = {role: self.token(role) for role in ROLES}
        self.key = credentials.mint(credentials.PROJECT_KEY, uuid4().bytes + uuid4().bytes[:8])
        [[self.key_id]] = conn.run(
            "INSERT INTO project_api_keys (project_id, key_hash, name) VALUES (:p, :hash, 'one') RETURNING id::text",
            p=project,
            hash=credentials.digest(self.key),
        )

    def token(self, role: str, name: str = "") -> str:
        secret = credentials.mint(credentials.ACCESS_TOKEN, uuid4().bytes + uuid4().bytes[:8])
        self.conn.run(
            "INSERT INTO access_tokens (org_id, name, role, token_hash) VALUES (:org, :name, :role, :hash)",
            org=self.org,
            name=name or role,
            role=role,
            hash=credentials.digest(secret),
        )
        return secret

    def incident(self, *, opened_at: datetime = START, route: str = "/checkout", **columns: Any) -> str:
        """An open spike with one event, one entry, a deploy before it, and sixty-five minutes of counts."""
        series, incident, fingerprint = str(uuid4()), str(uuid4()), f"TIMEOUT|{route}-{uuid4().hex[:8]}|prod"
        newest = int(opened_at.timestamp()) // 60
        self.conn.run(
            SERIES, id=series, org=self.org, project=self.project, fingerprint=fingerprint, newest=newest, at=opened_at
        )
        values = {"status": "open", "severity": "error", "rule": "error_spike", "title": f"Errors on {route}"} | columns
        self.conn.run(
            INCIDENT,
            id=incident,
            series=series,
            org=self.org,
            project=self.project,
            fingerprint=fingerprint,
            route=route,
            at=opened_at,
            resolved_at=opened_at + timedelta(hours=1) if values["status"] == "resolved" else None,
            **values,
        )
        self.conn.run(BELONGINGS, incident=incident, series=series, newest=newest, at=opened_at, event=str(uuid4()))
        return incident

    def job(self, incident: str, status: str = "failed", created_at: datetime = START) -> str:
        [[job]] = self.conn.run(
            "INSERT INTO ai_jobs (incident_id, status, attempt_count, created_at, updated_at, last_error) "
            "VALUES (:incident, :status, 3, :at, :at, 'the answer was no JSON') RETURNING id::text",
            incident=incident,
            status=status,
            at=created_at,
        )
        return str(job)

    def summary(self, incident: str) -> None:
        content: dict[str, object] = {
            "title": "The provider is slow",
            "impact": "Nobody can pay.",
            "likely_causes": ["Release 42."],
        }
        content |= {"evidence": ["30 errors in five minutes."], "next_steps": ["Roll back."], "confidence": 0.8}
        self.conn.run(
            "INSERT INTO ai_outputs (incident_id, model, content_json, facts_json, references_json) "
            "VALUES (:incident, 'a-model', :content, '[{\"n\": 1}]', '[[1]]')",
            incident=incident,
            content=json.dumps(content),
        )

    def deploy(self, at: datetime = START - timedelta(minutes=3), release: str = "42") -> None:
        self.conn.run(
            "INSERT INTO deploys (org_id, project_id, environment, event_id, occurred_at, service, release, message) "
            "VALUES (:org, :project, 'prod', :event, :at, 'checkout', :release, 'deployed')",
            org=self.org,
            project=self.project,
            event=str(uuid4()),
            at=at,
            release=release,
        )

    def activity(self, at: datetime, value: int, event_type: str = "error", severity: str = "error") -> None:
        self.conn.run(
            "INSERT INTO activity (day, org_id, project_id, environment, event_type, severity, minute, value) "
            "VALUES (current_date, :org, :project, 'prod', :type, :severity, :minute, :value)",
            org=self.org,
            project=self.project,
            type=event_type,
            severity=severity,
            minute=int(at.timestamp()) // 60,
            value=value,
        )

    def envelope(self, **fields: Any) -> bytes:
        """One event as the stream has it."""
        event = {
            "schema_version": "1.0",
            "event_id": str(uuid4()),
            "occurred_at": START.isoformat().replace("+00:00", "Z"),
            "received_at": START.isoformat().replace("+00:00", "Z"),
            "org_id": self.org,
            "project_id": self.project,
            "environment": "prod",
            "event_type": "error",
            "severity": "error",
            "message": "upstream timed out",
            "attributes": {"route": "/checkout", "error_code": "TIMEOUT"},
            "payload": {},
            "minted": True,
            "clamped": None,
        }
        return json.dumps(event | fields).encode()


class Shop:
    """A database and a core_api, for many tests: each has an organisation of its own, `acme`."""

    acme: Tenant
    source = SOURCE

    def __init__(self, home: Path, url: str, **environ: str) -> None:
        self.url = url
        self.settings = settings.read({"DATABASE_URL": url})
        self.conn = Connection(self.settings.database)
        self.search = search_for(self.settings)
        self.host = web.uvicorn(self.source, home, {"DATABASE_URL": url} | environ, servers.ROOT)

    @classmethod
    @contextmanager
    def running(cls, home: Path, **environ: str) -> Iterator[Self]:
        """One on a database of its own, both gone at the end."""
        place = cls(home, servers.fresh_database(), **environ)
        yield place
        place.close()
        servers.drop_database(place.url)

    def move_in(self) -> "Shop":
        """A new organisation with nothing."""
        self.acme = self.tenant()
        return self

    def tenant(self) -> Tenant:
        name = uuid4().hex[:12]
        return Tenant(self.conn, f"acme-{name}", f"shop-{name}")

    def get(self, target: str, token: str | None = None, **headers: str) -> Answer:
        return self.call("GET", target, token, headers)

    def post(self, target: str, body: object = None, token: str | None = None, **headers: str) -> Answer:
        content = b"" if body is None else json.dumps(body).encode()
        return self.call("POST", target, token or self.acme.tokens["admin"], headers, content)

    def call(
        self, method: str, target: str, token: str | None, headers: Mapping[str, str] | None = None, body: bytes = b""
    ) -> Answer:
        """As acme's viewer, unless another token is given; an empty one means none."""
        token = self.acme.tokens["viewer"] if token is None else token
        given = {"authorization": f"Bearer {token}"} if token else {}
        given |= {"content-type": "application/json"} if body else {}
        said = {name.replace("_", "-"): value for name, value in (headers or {}).items()}
        return self.host.request(method, target, given | said, body)

    def close(self) -> None:
        self.host.stop()
        self.search.close()
        self.conn.close()


def is_uuid(text: str) -> bool:
    try:
        return str(UUID(text)) == text
    except ValueError:
        return False


SERIES = """
    INSERT INTO series (id, org_id, project_id, environment, metric_name, fingerprint, newest, newest_occurred,
                        newest_received)
    VALUES (:id, :org, :project, 'prod', 'error_count', :fingerprint, :newest, :at, :at)
"""
INCIDENT = """
    INSERT INTO incidents (id, series, org_id, project_id, environment, fingerprint, rule, route, error_code, status,
                           prior_status, severity, title, opened_at, last_seen_at, resolved_at, window_minutes,
                           observed, baseline, peak, event_count, last_event_at)
    VALUES (:id, :series, :org, :project, 'prod', :fingerprint, :rule, :route, 'TIMEOUT', :status, 'open', :severity,
            :title, :at, :at, :resolved_at, 5, 42, 30, 50, 1042, :at)
"""
BELONGINGS = """
    UPDATE series SET incident = :incident WHERE id = :series;
    INSERT INTO buckets (series, minute, value, critical)
    SELECT :series, minute, CASE WHEN minute > :newest - 5 THEN 9 ELSE 1 END, 0
      FROM generate_series(:newest - 64, :newest) minute;
    INSERT INTO incident_events (incident_id, slot, event_id, occurred_at, event_type, severity, message,
                                 attributes_json)
    VALUES (:incident, 0, :event, :at, 'error', 'error', 'upstream timed out', '{"route": "/checkout"}');
    INSERT INTO incident_timeline (incident_id, at, who, what, why, numbers)
    VALUES (:incident, :at, 'engine', 'opened', 'errors spike', '{"observed": 42, "usual": 2.5, "minutes": 5}');
"""
