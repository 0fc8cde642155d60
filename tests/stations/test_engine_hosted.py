"""The engine as it is deployed: a process that is POSTed batches, the real log, and a transaction pooler."""

import base64
import json
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

from common import settings, topics
from common.clients.postgres.connection import Connection
from common.clients.stream import stream_for
from common.events.envelope import encode
from common.incidents.clock import MINUTE, minute_of
from local.hosts import web
from tests import servers
from tests.cases import Step
from tests.counted import differences
from tests.counting import BASE, create_project, envelope

SOURCE = "functions/incident_engine/main.py"
# What a cold start may load beside the standard library.
OURS = {
    "common",
    "functions",
    "schedules",
    "msgspec",
    "typing_extensions",
    "pg8000",
    "scramp",
    "asn1crypto",
    "dateutil",
    "six",
}


def test_thirty_errors_become_an_incident_and_a_notice_and_the_rest_goes_to_the_dead_letters(
    database_url: str, tmp_path: Path
) -> None:
    where = settings.read({"DATABASE_URL": database_url})
    conn, stream = Connection(where.database), stream_for(where)
    create_project(conn, "shop")
    now = datetime.now(UTC)
    late = Step("event", minute_of(now) - BASE)
    fields = {"occurred_at": now, "received_at": now + MINUTE}
    values = [encode(envelope(number, late, "error", "shop", **fields)) for number in range(30)] + [b"none"]
    batch = [
        {"topic": topics.RAW, "partition": 3, "offset": at, "timestamp": 0, "value": base64.b64encode(value).decode()}
        for at, value in enumerate(values)
    ]
    host = web.functions_framework(SOURCE, tmp_path, {"DATABASE_URL": database_url, "INTERNAL_KEY": "k"}, servers.ROOT)
    try:
        body = json.dumps({"records": {f"{topics.RAW}-3": batch}}).encode()
        headers = {"x-internal-key": "k", "content-type": "application/json"}
        for _ in range(2):
            assert host.request("POST", "/", headers, body).status == 200
    finally:
        host.stop()
    assert conn.run("SELECT count(*), sum(event_count) FROM incidents") == [[1, 30]]
    assert conn.run("SELECT stream, next FROM progress") == [[stream.name, 31]]
    assert sum(high for _, high in stream.ends(topics.AI_JOBS).values()) == 1
    letters = stream.reader(topics.DLQ, "test")
    assert len({record.key for record in letters.read(10, 1_000_000, 5)}) == 1  # it came twice, and is one letter
    letters.close()
    stream.close()
    conn.close()


def test_histories_through_a_transaction_pooler(database_url: str) -> None:
    pooled = settings.read({"DATABASE_URL": servers.pooled(database_url)}).database
    found = {seed: differences(lambda: pooled, seed) for seed in range(500, 504)}
    assert {seed: lines for seed, lines in found.items() if lines} == {}


def test_a_cold_start_loads_msgspec_and_pg8000_and_nothing_else_heavy() -> None:
    code = f"""
import sys
bare = set(sys.modules)
import functions.incident_engine.main, schedules.watch_silence, schedules.resolve_stale
print({{name.partition(".")[0] for name in set(sys.modules) - bare}} - set(sys.stdlib_module_names) - {OURS!r})
"""
    said = subprocess.run(
        [sys.executable, "-c", code],
        cwd=servers.ROOT,
        env=web.environment({"INTERNAL_KEY": "k"}),
        capture_output=True,
        text=True,
        check=True,
        timeout=30,
    ).stdout
    assert said.strip() == "set()"
