"""The engine on a real Postgres: what it writes, and what it counts once."""

import json
from typing import Any
from uuid import UUID

import pytest

from common import settings
from common.clients.ids import new_id
from common.clients.postgres.connection import Connection, Row
from common.clients.postgres.database import Database
from common.edge.records import Record
from common.errors import Misconfigured, Unavailable
from common.events.envelope import encode
from functions.incident_engine.engine import Engine
from tests.cases import Step
from tests.counting import BASE, ORG, Desk, Log, envelope

BURST = [Step("event", 10)] * 30


@pytest.fixture
def desk(db: Database) -> Desk:
    return Desk(db, Log(), "error")


def one(desk: Desk, table: str) -> dict[str, Any]:
    [[row]] = desk.rows(f"SELECT row_to_json(t)::text FROM {table} t")
    found: dict[str, Any] = json.loads(row)
    return found


def test_an_incident_says_what_fails_where_and_by_which_numbers(desk: Desk) -> None:
    attributes = {"route": "/pay/17?x=1", "error_code": "TIMEOUT", "service": 7, "release": "v2"}
    desk.engine.handle(desk.records(BURST, attributes=attributes))
    incident = one(desk, "incidents")
    assert incident["title"] == "Errors spike on /pay/:id: TIMEOUT (prod)"
    assert {name: incident[name] for name in ("route", "error_code", "service", "rule", "environment", "status")} == {
        "route": "/pay/:id",
        "error_code": "TIMEOUT",
        "service": "7",
        "rule": "error_spike",
        "environment": "prod",
        "status": "open",
    }
    assert incident["fingerprint"] == "TIMEOUT|/pay/:id|prod"
    assert (incident["observed"], incident["usual"], incident["peak"], incident["event_count"]) == (30, 0, 30, 30)
    entry = one(desk, "incident_timeline")
    assert (entry["who"], entry["what"]) == ("engine", "opened")
    assert entry["numbers"] == {"observed": 30, "usual": 0, "minutes": 5}
    [[kept]] = desk.rows("SELECT row_to_json(e)::text FROM incident_events e ORDER BY slot LIMIT 1")
    assert json.loads(kept)["attributes_json"] == attributes
    assert json.loads(kept)["message"] == "event 29"  # the one that opened it


def test_the_series_knows_its_partition_and_who_first_reached_its_newest_minute(desk: Desk) -> None:
    desk.send(BURST)
    series = one(desk, "series")
    assert (series["stream"], series["partition"], series["newest"]) == ("test:1", 0, BASE + 10)
    assert series["newest_occurred"] == desk.rows("SELECT min(occurred_at)::text FROM incident_events")[0][0].replace(
        " ", "T"
    ).replace(":29+00", ":00+00:00")


def test_a_worker_is_woken_after_the_commit(desk: Desk) -> None:
    desk.send(BURST)
    [[job]] = desk.rows("SELECT id::text FROM ai_jobs WHERE notified_at IS NOT NULL")
    assert [json.loads(notice) for notice in desk.log.notices] == [{"job_id": job}]


def test_a_lost_notice_costs_nothing_but_time(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    def publish(*_: object) -> None:
        raise Unavailable("The stream")

    monkeypatch.setattr(desk.log, "publish", publish)
    assert desk.send(BURST) == []
    assert desk.jobs() == 1


@pytest.mark.parametrize("message", ["FOR NO KEY UPDATE", "COMMIT"], ids=["lock and read", "write and commit"])
@pytest.mark.parametrize("heard", [False, True], ids=["before it was heard", "before it was answered"])
def test_a_connection_that_dies_loses_and_doubles_nothing(
    database: settings.Postgres, desk: Desk, message: str, heard: bool
) -> None:
    deaths: list[str] = []

    class Dying(Connection):
        def simple(self, text: str) -> list[Row]:
            if deaths or not (message in text and "progress" in text and "INSERT INTO series" not in text):
                return super().simple(text)
            deaths.append(text)
            if heard:
                super().simple(text)
            self.close()
            raise Unavailable("Postgres")

    class Lending(Database):
        def _open(self) -> Connection:
            return Dying(database)

    desk.send([Step("event", 9)])
    records = desk.records(BURST)
    mortal = Engine(Lending(1), lambda: desk.log, new_id)
    mortal._known = desk.engine._known
    with pytest.raises(Unavailable):
        mortal.handle(records)
    assert mortal.handle(records) == []
    assert (desk.counts(), desk.jobs(), desk.activity()) == ({9: 1, 10: 30}, 1, 31)
    assert len(desk.log.notices) == (0 if heard and message == "COMMIT" else 1)  # the sweeper's, if nobody was told


def test_what_was_counted_before_is_not_counted_again(desk: Desk) -> None:
    records = desk.records([*BURST, *BURST])
    desk.engine.handle(records[:40])
    desk.engine.handle(records[:40])
    desk.engine.handle(records[20:])
    desk.engine.handle([*records, *records])
    assert (desk.counts(), desk.jobs()) == ({10: 60}, 1)
    assert desk.rows("SELECT next, missed FROM progress") == [[60, 0]]


def test_an_id_that_its_caller_sends_again_is_counted_once(desk: Desk) -> None:
    def sent(number: int, **fields: Any) -> Record:
        value = encode(envelope(number, Step("event", 10), "error", "shop", minted=False, **fields))
        return desk.log.append(0, value)

    desk.engine.handle([sent(1), sent(1), sent(2)])
    desk.engine.handle([sent(2, message="altered"), sent(3), sent(3)])
    assert desk.counts() == {10: 3}
    desk.engine.handle([sent(1, attributes={"error_code": "another series"})])
    assert desk.counts() == {10: 4}
    assert desk.activity() == 4
    # an id of last week is remembered as well
    desk.rows("CREATE TABLE last_week PARTITION OF remembered_ids FOR VALUES FROM ('2001-01-01') TO ('2001-01-08')")
    desk.rows("UPDATE remembered_ids SET week = '2001-01-01'")
    desk.engine.handle([sent(1), sent(2), sent(4)])
    assert desk.counts() == {10: 5}


def test_an_id_of_one_tenant_hides_no_event_of_another(desk: Desk, db: Database) -> None:
    other = Desk(db, desk.log, "error", "other")
    for one in (desk, other):
        one.engine.handle(one.records(BURST, minted=False))
    assert desk.counts() == other.counts() == {10: 30}


def test_an_id_ingest_made_is_not_remembered(desk: Desk) -> None:
    desk.send(BURST)
    assert desk.rows("SELECT count(*) FROM remembered_ids") == [[0]]


def test_types_without_a_rule_feed_activity_and_deploys_are_kept_once(desk: Desk) -> None:
    def sent(number: int, kind: str, **fields: Any) -> Record:
        return desk.log.append(0, encode(envelope(number, Step("event", 10), kind, "shop", **fields)))

    deploy = {"attributes": {"release": "v1", "service": "web"}, "minted": False, "severity": "info"}
    records = [sent(1, "deploy", **deploy), sent(2, "feedback"), sent(3, "custom"), sent(1, "deploy", **deploy)]
    assert desk.engine.handle(records) == []
    assert desk.rows("SELECT event_type, severity, minute, value FROM activity ORDER BY 1") == [
        ["custom", "error", BASE + 10, 1],
        ["deploy", "info", BASE + 10, 1],
        ["feedback", "error", BASE + 10, 1],
    ]
    assert desk.rows("SELECT event_id, service, release, message FROM deploys") == [
        [UUID(int=1), "web", "v1", "event 1"]
    ]
    assert desk.rows("SELECT count(*) FROM series") == [[0]]


def test_two_round_trips_whatever_the_size(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    steps = [Step("event", minute, series=f"s{number}") for number in range(500) for minute in (10, 11)]
    desk.send(steps)
    sent: list[str] = []
    simple = Connection.simple

    def noting(self: Connection, text: str) -> list[Row]:
        sent.append(text)
        return simple(self, text)

    monkeypatch.setattr(Connection, "simple", noting)
    desk.engine.handle(desk.records([*steps, *[Step("event", 12)] * 4000], minted=False))
    assert len(sent) == 2
    desk.send([Step("event", 13)])
    assert len(sent) == 4


def test_a_day_without_a_partition_says_what_to_run(desk: Desk, conn: Connection) -> None:
    for [name] in conn.run("SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'activity'::regclass"):
        conn.run(f"DROP TABLE {name}")
    with pytest.raises(Misconfigured, match=r"python -m migrations\.apply"):
        desk.send(BURST)
    assert desk.counts() == {}


def test_another_organisation_never_sees_it(desk: Desk) -> None:
    desk.send(BURST)
    assert one(desk, "incidents")["org_id"] == one(desk, "series")["org_id"] == ORG
