"""What an event costs here: milliseconds in each function, bytes of log, bytes of disk; on Lambda's runtime client."""

import json
import tempfile
import time
from base64 import b64encode
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple
from uuid import uuid4

from common import credentials, settings, topics
from common.clients.postgres.connection import Connection
from common.clients.stream import stream_for
from common.edge.records import Record
from local import seed
from local.bundles.declaration import ROOT
from local.hosts.aws import Lambda, http_event
from local.servers.objects import ObjectsServer
from local.servers.postgres import PostgresServer
from migrations.apply import bring_up

CALLS, EVENTS = 60, 10  # events a request, as a client that sends every few seconds has them
STATIONS = ("incident_engine", "indexer", "archiver")
BUCKET = "signals-bill"
SIZE = "SELECT pg_database_size(current_database())"


class Measured(NamedTuple):
    """`call_ms` of one invocation; a station's holds `batch` events, a request to ingest `EVENTS`."""

    call_ms: dict[str, float]
    batch: int
    tick_ms: float
    log_bytes: float  # an invocation
    disk_bytes: float  # an event, with log, search, counts and indexes


def measure() -> Measured:
    with tempfile.TemporaryDirectory(prefix="signals-bill-") as folder:
        home = Path(folder)
        home.chmod(0o755)
        server = PostgresServer(home / "servers" / "postgres", throwaway=True)
        objects = ObjectsServer(home / "servers" / "objects", bucket=BUCKET)
        server.start()
        objects.start()
        try:
            kept = {"S3_ENDPOINT_URL": objects.url, "S3_BUCKET": BUCKET, "S3_ACCESS_KEY": "a", "S3_SECRET_KEY": "b"}
            return _on({"DATABASE_URL": server.url(), "INTERNAL_KEY": "k", **kept}, home)
        finally:
            objects.stop()
            server.stop()


def _on(env: dict[str, str], home: Path) -> Measured:
    where = settings.read(env)
    conn, stream = Connection(where.database), stream_for(where)
    bring_up(where, datetime.now(UTC).date())
    key, token = (credentials.mint(kind, b"b" * 24) for kind in (credentials.PROJECT_KEY, credentials.ACCESS_TOKEN))
    seed.make(conn, key, token)
    [[before]] = conn.run(SIZE)
    logs: list[float] = []
    taken = _timed("functions/ingest/main.py", home, env, [_request(key) for _ in range(CALLS)], logs)
    records = list(stream.scan(topics.RAW))
    batches = [_batch(records[at : at + 100]) for at in range(0, len(records), 100)]
    call_ms = {"ingest": taken}
    for name in STATIONS:
        call_ms[name] = _timed(f"functions/{name}/main.py", home, env, batches, logs)
    asked = http_event("GET", "/v1/incidents", {"authorization": f"Bearer {token}"})
    call_ms["core_api"] = _timed("functions/core_api/main.py", home, env, [asked] * CALLS, logs)
    tick = _timed("schedules/tick.py", home, env, [{"source": "aws.events"}] * 5, logs)
    [[after]] = conn.run(SIZE)
    conn.close()
    stream.close()
    return Measured(call_ms, 100, tick, sum(logs) / len(logs), (after - before) / (CALLS * EVENTS))


def _timed(source: str, home: Path, env: dict[str, str], events: list[Any], logs: list[float]) -> float:
    """Milliseconds a call, the first (a cold start's) left out."""
    host = Lambda(source, home, env, ROOT)
    try:
        host.invoke(events[0])
        began = time.monotonic()
        for event in events[1:]:
            outcome = host.invoke(event)
            assert outcome.error is None, outcome.error
        seconds = time.monotonic() - began
    finally:
        host.stop()
    logs.append(len(host.process.log.read_bytes()) / len(events))
    return seconds * 1000 / max(1, len(events) - 1)


def _request(key: str) -> Any:
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    event = {"event_type": "error", "occurred_at": now, "message": "x" * 300, "attributes": {"error_code": "E_PAY"}}
    body = json.dumps([event | {"event_id": str(uuid4())} for _ in range(EVENTS)]).encode()
    return http_event("POST", "/v1/events/batch", {"x-api-key": key, "content-type": "application/json"}, body)


def _batch(records: list[Record]) -> Any:
    groups: dict[str, list[dict[str, object]]] = {}
    for record in records:
        place = {"topic": record.topic, "partition": record.partition, "offset": record.offset}
        value = b64encode(record.value or b"").decode()
        groups.setdefault(f"{record.topic}-{record.partition}", []).append(
            place | {"timestamp": record.timestamp, "value": value}
        )
    return {"records": groups}
