"""An incident as the engine leaves it, with its minutes, kept events, deploys and AI job."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

from common.clients.postgres.connection import Connection

OPENED = datetime(2026, 5, 1, 12, 4, tzinfo=UTC)
NOW = OPENED + timedelta(minutes=1)
MINUTE = timedelta(minutes=1)
TIMEOUT = {"route": "/checkout", "error_code": "UPSTREAM_TIMEOUT", "status_code": 504, "release": "4.2.0"}


def project(conn: Connection, name: str = "shop") -> None:
    conn.run("INSERT INTO orgs (id, name) VALUES ('acme', 'Acme') ON CONFLICT DO NOTHING")
    conn.run("INSERT INTO projects (id, org_id, name) VALUES (:id, 'acme', :id) ON CONFLICT DO NOTHING", id=name)


def incident(
    conn: Connection,
    *,
    messages: Sequence[str] = ("upstream timeout calling payments",) * 30,
    attributes: dict[str, object] | None = None,
    severity: str = "error",
    code: str | None = "UPSTREAM_TIMEOUT",
    route: str | None = "/checkout",
    rule: str = "error_spike",
    title: str = "Errors spike on /checkout: UPSTREAM_TIMEOUT (prod)",
) -> UUID:
    """Thirty errors in the five minutes up to 12:04, where two are usual."""
    project(conn)
    made, series = uuid4(), uuid4()
    minute = int(OPENED.timestamp()) // 60
    conn.run(SERIES, id=series, print=f"{code}|{route}|{made}", minute=minute, code=code, route=route)
    minutes = [{"m": minute - 5 * at, "v": 2} for at in range(1, 13)] + [
        {"m": minute, "v": 16},
        {"m": minute - 1, "v": 14},
    ]
    conn.run(BUCKETS, series=series, rows=json.dumps(minutes))
    conn.run(
        INCIDENT,
        id=made,
        series=series,
        print=f"{code}|{route}|{made}",
        rule=rule,
        route=route,
        code=code,
        severity=severity,
        title=title,
        opened=OPENED,
        window=5 if rule == "error_spike" else 15,
    )
    said = TIMEOUT if attributes is None else attributes
    times = [(OPENED + timedelta(seconds=at)).isoformat() for at in range(len(messages))]
    rows = [
        {"i": str(made), "s": at, "e": str(uuid4()), "o": times[at], "m": message, "a": said}
        for at, message in enumerate(messages)
    ]
    conn.run(EVENTS, rows=json.dumps(rows))
    return made


def deploy(conn: Connection, minutes_before: int, release: str = "4.2.0", message: str = "deployed") -> None:
    project(conn)
    query = """
        INSERT INTO deploys (org_id, project_id, environment, event_id, occurred_at, service, release, message)
        VALUES ('acme', 'shop', 'prod', :id, :at, 'checkout', :release, :message)
    """
    conn.run(query, id=uuid4(), at=OPENED - minutes_before * MINUTE, release=release, message=message)


def job(conn: Connection, incident_id: UUID | None, run_after: datetime = NOW - MINUTE) -> UUID:
    query = "INSERT INTO ai_jobs (incident_id, run_after) VALUES (:incident, :at) RETURNING id"
    [[made]] = conn.run(query, incident=incident_id, at=run_after)
    return UUID(str(made))


SERIES = """
    INSERT INTO series (id, org_id, project_id, environment, metric_name, fingerprint, error_code, route, newest)
    VALUES (:id, 'acme', 'shop', 'prod', 'error_count', :print, :code, :route, :minute)
"""
BUCKETS = """
    INSERT INTO buckets (series, minute, value, critical)
    SELECT :series, m, v, 0 FROM json_to_recordset(:rows) AS x(m int, v int)
"""
INCIDENT = """
    INSERT INTO incidents (id, series, org_id, project_id, environment, fingerprint, rule, route, error_code, status,
                           prior_status, severity, title, opened_at, last_seen_at, window_minutes, observed, baseline,
                           peak, event_count, last_event_at)
    VALUES (:id, :series, 'acme', 'shop', 'prod', :print, :rule, :route, :code, 'open', 'open', :severity, :title,
            :opened, :opened, :window, 30, 24, 30, 30, :opened)
"""
EVENTS = """
    INSERT INTO incident_events (incident_id, slot, event_id, occurred_at, event_type, severity, message,
                                 attributes_json)
    SELECT i, s, e, o, 'error', 'error', m, a
      FROM json_to_recordset(:rows) AS x(i uuid, s int, e uuid, o timestamptz, m text, a jsonb)
"""
