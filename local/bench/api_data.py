"""What the API bench reads: two organisations with a month of everything, made by the database itself.

At scale 1: a million events, ten thousand incidents, five million bucket rows.
"""

import json
import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from random import Random
from uuid import UUID

from common import credentials
from common.clients.postgres import hours, partitions
from common.clients.postgres.connection import Connection
from common.clients.search import Search
from common.errors import Unavailable

ORGS = ("bench", "hostile")
EVENTS, INCIDENTS, BUCKETS, SERIES = 1_000_000, 10_000, 5_000_000, 2_000
BATCH, TRIES = 2_000, 60
RARE = "kumquat"  # one event in a thousand says it
WORDS = ["upstream", "timed", "out", "while", "the", "payment", "provider", "answered", "slowly", "again"]


def organisations(conn: Connection, random: Random) -> dict[str, str]:
    """A token of each organisation."""
    tokens = {}
    for org in ORGS:
        tokens[org] = credentials.mint(credentials.ACCESS_TOKEN, random.randbytes(24))
        conn.run("INSERT INTO orgs (id, name) VALUES (:org, :org)", org=org)
        conn.run("INSERT INTO projects (id, org_id, name) VALUES (:id, :org, 'Shop')", id=f"{org}-shop", org=org)
        conn.run(
            "INSERT INTO access_tokens (org_id, name, role, token_hash) VALUES (:org, 'reader', 'admin', :hash)",
            org=org,
            hash=credentials.digest(tokens[org]),
        )
    return tokens


def fill(conn: Connection, now: datetime, scale: float) -> None:
    """Everything but events, which search keeps."""
    conn.answer_within(600)
    partitions.make(conn, "activity", partitions.DAY, now.date() - timedelta(days=32), now.date())
    series, incidents = int(SERIES * scale), int(INCIDENTS * scale)
    minutes = int(BUCKETS * scale / series)
    values = {"now": int(now.timestamp()) // 60, "series": series, "incidents": incidents, "minutes": minutes}
    for statement in (
        SERIES_ROWS,
        BUCKET_ROWS,
        INCIDENT_ROWS,
        EVENT_ROWS,
        TIMELINE,
        JOBS,
        SUMMARIES,
        DEPLOYS,
        ACTIVITY,
    ):
        conn.run(statement, **values)
    hours.sum_up(conn)
    for table in (
        "activity_hours",
        "series",
        "buckets",
        "incidents",
        "incident_events",
        "ai_jobs",
        "ai_outputs",
        "deploys",
        "activity",
    ):
        conn.run(f"VACUUM ANALYZE {table}")


def index(search: Search, now: datetime, count: int, random: Random) -> None:
    """Half of the events are either organisation's."""
    batch: list[bytes] = []
    for envelope in envelopes(now, count, random):
        batch.append(envelope)
        if len(batch) == BATCH:
            put(search, batch)
            batch = []
    put(search, batch)


def put(search: Search, batch: list[bytes]) -> None:
    """It comes again where there is no room for it just now, as from the indexer."""
    for _ in range(TRIES):
        with suppress(Unavailable):
            search.index(batch)
            return
        time.sleep(1)
    search.index(batch)


def envelopes(now: datetime, count: int, random: Random) -> Iterator[bytes]:
    """As they come: the oldest first. An index that has them in any order answers for the newest too easily."""
    for n in range(count):
        org = ORGS[n % 2]
        words = [*random.sample(WORDS, 6), *([RARE] if n % 2_000 < 2 else [])]
        late = random.uniform(0, 60)
        at = (now - timedelta(seconds=30 * 86_400 * (1 - n / count) + late)).astimezone(UTC).isoformat()
        event = {
            "schema_version": "1.0",
            "event_id": str(UUID(int=random.getrandbits(128))),
            "occurred_at": at.replace("+00:00", "Z"),
            "received_at": at.replace("+00:00", "Z"),
            "org_id": org,
            "project_id": f"{org}-shop",
            "environment": "prod",
            "event_type": "error" if n % 3 == 0 else "http_request",
            "severity": "error" if n % 3 == 0 else "info",
            "message": " ".join(words),
            "attributes": {"route": f"/route/{random.randrange(50)}", "error_code": "TIMEOUT", "status_code": 504},
            "payload": {},
            "minted": True,
            "clamped": None,
        }
        yield json.dumps(event).encode()


# All of them are `bench`'s. md5 makes ids that are the same each time.
SERIES_ROWS = """
    INSERT INTO series (id, org_id, project_id, environment, metric_name, fingerprint, newest, newest_occurred,
                        newest_received)
    SELECT md5('series' || n)::uuid, 'bench', 'bench-shop', 'prod', 'error_count', 'TIMEOUT|/route/' || n || '|prod',
           :now, minute_start(:now), minute_start(:now)
      FROM generate_series(1, :series) n
"""
BUCKET_ROWS = """
    INSERT INTO buckets (series, minute, value, critical)
    SELECT md5('series' || n)::uuid, m, 1 + m % 7, 0
      FROM generate_series(1, :series) n, generate_series(:now - :minutes + 1, :now) m
"""
INCIDENT_ROWS = """
    INSERT INTO incidents (id, series, org_id, project_id, environment, fingerprint, rule, route, error_code, status,
                           prior_status, severity, title, opened_at, last_seen_at, resolved_at, window_minutes,
                           observed, baseline, peak, event_count, last_event_at)
    SELECT md5('incident' || n)::uuid, md5('series' || n % :series + 1)::uuid, 'bench', 'bench-shop', 'prod',
           'f' || n, CASE WHEN n % 100 = 0 THEN 'signup_drop' ELSE 'error_spike' END, '/route/' || n, 'TIMEOUT',
           CASE WHEN n <= 20 THEN 'open' ELSE 'resolved' END, 'open',
           CASE WHEN n % 50 = 0 THEN 'critical' ELSE 'error' END, 'Errors spike on /route/' || n, at, at,
           CASE WHEN n <= 20 THEN NULL ELSE at + interval '1 hour' END, 5, 50, 60, 70, 500, at
      FROM generate_series(1, :incidents) n,
           LATERAL (SELECT minute_start(:now - 30 - n * 4) AS at) times
"""
EVENT_ROWS = """
    INSERT INTO incident_events (incident_id, slot, event_id, occurred_at, event_type, severity, message,
                                 attributes_json)
    SELECT md5('incident' || n)::uuid, slot, gen_random_uuid(), minute_start(:now - 30 - n * 4), 'error', 'error',
           'upstream timed out after 3000 ms', '{"route": "/checkout", "error_code": "TIMEOUT", "status_code": 504}'
      FROM generate_series(1, :incidents) n, generate_series(0, 49) slot
"""
TIMELINE = """
    INSERT INTO incident_timeline (incident_id, at, who, what, why, numbers)
    SELECT md5('incident' || n)::uuid, minute_start(:now - 30 - n * 4), 'engine', what, 'errors spike',
           '{"observed": 50}'
      FROM generate_series(1, :incidents) n, unnest(ARRAY['opened', 'acknowledged', 'resolved']) what
"""
JOBS = """
    INSERT INTO ai_jobs (id, incident_id, status, created_at, updated_at)
    SELECT md5('job' || n)::uuid, md5('incident' || n)::uuid, CASE WHEN n % 20 = 0 THEN 'failed' ELSE 'succeeded' END,
           minute_start(:now - 30 - n * 4), minute_start(:now - 29 - n * 4)
      FROM generate_series(1, :incidents) n
"""
SUMMARIES = """
    INSERT INTO ai_outputs (incident_id, job_id, model, content_json, facts_json, references_json)
    SELECT md5('incident' || n)::uuid, md5('job' || n)::uuid, 'a-model',
           '{"title": "A title", "impact": "An impact.", "likely_causes": ["One.", "Two."], "evidence": ["It is so."],
             "next_steps": ["Do it."], "confidence": 0.7}', '[{"n": 1, "text": "50 errors in five minutes"}]', '[[1]]'
      FROM generate_series(1, :incidents) n
"""
DEPLOYS = """
    INSERT INTO deploys (org_id, project_id, environment, event_id, occurred_at, service, release, message)
    SELECT 'bench', 'bench-shop', 'prod', gen_random_uuid(), minute_start(:now - n * 20), 'checkout', 'r' || n,
           'deployed'
      FROM generate_series(1, 2000) n
"""
ACTIVITY = """
    INSERT INTO activity (day, org_id, project_id, environment, event_type, severity, minute, value)
    SELECT (minute_start(m) AT TIME ZONE 'UTC')::date, org, org || '-shop', 'prod', kind, 'info', m, 10
      FROM generate_series(:now - 44640, :now) m, unnest(ARRAY['bench', 'hostile']) org,
           unnest(ARRAY['error', 'http_request', 'signup', 'deploy', 'feedback', 'custom']) kind
"""
