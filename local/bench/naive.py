"""The obvious engine, which `engine.py` is measured against: one upsert and one read of the hour for each event."""

import json
import socket
from datetime import datetime
from typing import Any

import pg8000.native

from common.settings import Postgres

UPSERT = """
INSERT INTO naive_buckets (project_id, environment, metric_name, fingerprint, bucket_start, bucket_seconds, value)
VALUES (:project, :environment, :metric, :fingerprint, :start, 60, 1)
    ON CONFLICT (project_id, environment, metric_name, fingerprint, bucket_start, bucket_seconds)
    DO UPDATE SET value = naive_buckets.value + 1, updated_at = now()
"""
READ = """
SELECT bucket_start, value FROM naive_buckets
 WHERE project_id = :project AND environment = :environment AND metric_name = :metric AND fingerprint = :fingerprint
   AND bucket_start > cast(:start AS timestamptz) - interval '65 minutes' AND bucket_start <= :start
"""
TABLE = """
CREATE TABLE naive_buckets (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, project_id text NOT NULL, environment text NOT NULL,
    metric_name text NOT NULL, fingerprint text NOT NULL, bucket_start timestamptz NOT NULL,
    bucket_seconds int NOT NULL, value int NOT NULL, updated_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (project_id, environment, metric_name, fingerprint, bucket_start, bucket_seconds))
"""


class Naive:
    """Committing each statement, prepared, on a direct connection: nothing is made slow on purpose."""

    def __init__(self, where: Postgres) -> None:
        password = where.password.reveal()
        raw = pg8000.native.Connection(
            where.user, host=where.host, port=where.port, database=where.database, password=password
        )
        raw._usock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        raw.run(TABLE)
        self._upsert, self._read = raw.prepare(UPSERT), raw.prepare(READ)

    def handle(self, values: list[bytes]) -> int:
        """How many events found their rule to hold."""
        return sum(self._one(json.loads(value)) for value in values)

    def _one(self, event: dict[str, Any]) -> bool:
        attributes = event["attributes"]
        start = datetime.fromisoformat(event["occurred_at"]).replace(second=0, microsecond=0)
        key = {
            "project": event["project_id"],
            "environment": event["environment"],
            "metric": "error_count",
            "fingerprint": f"{attributes['error_code']}|{attributes['route']}|{event['environment']}",
            "start": start,
        }
        self._upsert.run(**key)
        rows = self._read.run(**key)
        minutes = {int((start - at).total_seconds() // 60): value for at, value in rows}
        last_five = sum(minutes.get(back, 0) for back in range(5))
        usual = sum(minutes.get(back, 0) for back in range(5, 65)) / 12
        return bool(last_five >= 30 and last_five >= 3 * max(1.0, usual))
