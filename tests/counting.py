"""Steps of cases and histories, through the whole engine, the clock jobs and people's actions on a real Postgres.

What it has made of them is read back from the tables, as `tests/shelf.py` says it in memory.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from common import topics
from common.clients.gate import Patience
from common.clients.ids import new_id
from common.clients.postgres import actions
from common.clients.postgres.actions import Act
from common.clients.postgres.connection import Connection
from common.clients.postgres.database import Database
from common.clients.stream import Item
from common.clients.stream.pending import Pending, end
from common.edge.records import Record, Refused
from common.errors import Problem
from common.events.envelope import Envelope, encode
from common.incidents.clock import GRACE_MINUTES, minute_of, time_of
from common.incidents.people import Person
from functions.incident_engine.engine import Engine
from schedules import resolve_stale, watch_silence
from tests.cases import Outcome, Step

ORG = "acme"
# Minute 0 of a case; a multiple of fifty, so that the last minutes of an incident keep their places.
BASE = minute_of(datetime.fromisoformat("2024-03-01T12:00:00Z")) // 50 * 50
NOW = Patience(0)
ANA = Person("ana", "seen to")
PARTITIONS = 2


class Log:
    """A stream of which only the ends and what was published matter here; records are handed over by the test."""

    def __init__(self, name: str = "test:1") -> None:
        self.name = name
        self.highs = dict.fromkeys(range(PARTITIONS), 0)
        self.notices: list[bytes] = []

    def publish(self, topic: str, items: Sequence[Item]) -> Pending:
        assert topic == topics.AI_JOBS
        self.notices += [value for _, value in items if value is not None]
        pending = Pending()
        end([pending])
        return pending

    def ends(self, topic: str) -> dict[int, tuple[int, int]]:
        assert topic == topics.RAW
        return {partition: (0, high) for partition, high in self.highs.items()}

    def append(self, partition: int, value: bytes | None, at: int = 0) -> Record:
        record = Record(topics.RAW, partition, self.highs[partition], at, value=value)
        self.highs[partition] += 1
        return record

    def reader(self, topic: str, group: str) -> Any:
        raise NotImplementedError

    def scan(self, topic: str) -> Any:
        raise NotImplementedError

    def close(self) -> None:
        pass


def create_project(conn: Connection, project: str, org: str = ORG) -> None:
    conn.run("INSERT INTO orgs (id, name) VALUES (:org, 'O') ON CONFLICT DO NOTHING", org=org)
    conn.run(
        "INSERT INTO projects (id, org_id, name) VALUES (:id, :org, 'P') ON CONFLICT DO NOTHING", id=project, org=org
    )


def envelope(number: int, step: Step, kind: str, project: str, **fields: Any) -> Envelope:
    """The event's number is its id and its second, so that it can be told apart in every table."""
    occurred = time_of(BASE + step.minute) + timedelta(seconds=number % 60)
    given: dict[str, Any] = {
        "schema_version": "1.0",
        "event_id": UUID(int=number),
        "occurred_at": occurred,
        "received_at": occurred,
        "org_id": ORG,
        "project_id": project,
        "environment": "prod",
        "event_type": kind,
        "severity": "critical" if step.critical else "error",
        "message": f"event {number}",
        "attributes": {"route": f"/{step.series or 'x'}", "error_code": "E"} if kind == "error" else {},
        "payload": {},
        "minted": True,
        "clamped": None,
    }
    return Envelope(**given | fields)


class Desk:
    """One project with its events in one partition; several desks may share a database and a log."""

    def __init__(self, database: Database, log: Log, kind: str, project: str = "shop", partition: int = 0) -> None:
        self.kind, self.project, self.partition = kind, project, partition
        self.database, self.log = database, log
        self.engine = Engine(database, lambda: log, new_id)
        self.sent = 0
        self.refused: list[str] = []
        with database.connection() as conn:
            create_project(conn, project)

    def records(self, steps: Iterable[Step], **fields: Any) -> list[Record]:
        """New at the end of the partition."""
        made = []
        for step in steps:
            value = encode(envelope(self.sent, step, self.kind, self.project, **fields))
            made.append(self.log.append(self.partition, value))
            self.sent += 1
        return made

    def send(self, steps: Iterable[Step]) -> list[Refused]:
        records = self.records(steps)
        return self.engine.handle(records) if records else []

    def act(self, step: Step, *, shut: bool = False) -> None:
        """The clock, or a person; for a person the gate may be shut: the log has a record that is not counted."""
        if step.what == "clock":
            now = time_of(BASE + step.minute + GRACE_MINUTES)
            watch_silence.watch(self.database, self.log, now, NOW)
            resolve_stale.resolve(self.database, self.log, now, NOW)
            return
        self.log.highs[self.partition] += shut
        try:
            self._person(step)
        finally:
            self.log.highs[self.partition] -= shut

    def rows(self, sql: str, **values: object) -> list[list[Any]]:
        with self.database.connection() as conn:
            return conn.run(sql, project=self.project, **values)

    def outcomes(self) -> list[tuple[Outcome, int | None]]:
        """The incidents in the order of their opening, each with the minute of its last event."""
        rows = self.rows(INCIDENTS)
        return [(Outcome(*row[:-1]), row[-1]) for row in rows]

    def log_of(self) -> list[tuple[int, str, int | None]]:
        return [tuple(row) for row in self.rows(TIMELINE)]

    def counts(self) -> dict[int, int]:
        return {minute - BASE: value for minute, value in self.rows(BUCKETS)}

    def jobs(self) -> int:
        return int(self.rows(JOBS)[0][0])

    def kept(self) -> dict[tuple[int, int], tuple[int, int]]:
        return {(place, slot): (minute, event.int) for place, slot, minute, event in self.rows(KEPT)}

    def close(self) -> None:
        self.database.close()

    def state(self) -> tuple[int | None, int | None]:
        """The newest minute, and the first that is not judged, as far as it matters."""
        rows = self.rows(STATE)
        return (rows[0][0], rows[0][1]) if rows else (None, None)

    def activity(self) -> int:
        return int(self.rows("SELECT coalesce(sum(value), 0) FROM activity WHERE project_id = :project")[0][0])

    def _person(self, step: Step) -> None:
        newest = self.rows(NEWEST)
        if not newest:
            return
        act = Act(self.database, ORG, str(newest[0][0]), ANA, time_of(BASE + step.minute))
        try:
            if step.what in ("resolve", "reopen"):
                getattr(actions, step.what)(act, self.log, NOW)
            else:
                getattr(actions, step.what)(act)
        except Problem as problem:
            self.refused.append(problem.code)


# An incident's place: how many of its series were opened before it.
PLACES = """
    WITH RECURSIVE chain AS (
        SELECT i.*, 0 AS place FROM incidents i WHERE project_id = :project AND recurrence_of IS NULL
        UNION ALL
        SELECT i.*, place + 1 FROM incidents i JOIN chain ON i.recurrence_of = chain.id)
"""
NEWEST = PLACES + "SELECT id FROM chain ORDER BY place DESC LIMIT 1"
INCIDENTS = (
    PLACES
    + f"""
    SELECT minute_of(opened_at) - {BASE}, minute_of(last_seen_at) - {BASE}, severity, status,
           minute_of(resolved_at) - {BASE}, resolved_by_person_at IS NOT NULL, event_count, observed, baseline, peak,
           recurrence_of IS NOT NULL, minute_of(last_event_at) - {BASE}
      FROM chain ORDER BY place
"""
)
TIMELINE = (
    PLACES
    + f"""
    SELECT place, what, minute_of(at) - {BASE} FROM incident_timeline t JOIN chain ON chain.id = t.incident_id
     WHERE what IN ('opened', 'restored', 'resolved', 'reopened') ORDER BY t.id
"""
)
KEPT = (
    PLACES
    + f"""
    SELECT place, slot, minute_of(occurred_at) - {BASE}, event_id
      FROM incident_events e JOIN chain ON chain.id = e.incident_id
"""
)
BUCKETS = """
    SELECT minute, sum(value)::int FROM buckets b JOIN series s ON s.id = b.series
     WHERE project_id = :project GROUP BY minute
"""
STATE = f"""
    SELECT newest - {BASE}, CASE WHEN judged IS NOT NULL THEN least(judged, newest + 75) - {BASE} END
      FROM series WHERE project_id = :project
"""
JOBS = "SELECT count(*) FROM ai_jobs j JOIN incidents i ON i.id = j.incident_id WHERE project_id = :project"
