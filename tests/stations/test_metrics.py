"""What the stations count, on real stores: what happened, once each, after the commit."""

from collections.abc import Iterator
from datetime import timedelta
from uuid import UUID

import pytest

from common import settings
from common.clients.postgres.connection import Connection, Row
from common.clients.postgres.database import Database
from common.errors import Unavailable
from common.metrics import names, samples
from functions.ai_worker.outcome import Failed, Later
from functions.ai_worker.work import count
from schedules import resolve_stale
from tests.ai import Bench, configured
from tests.cases import Step
from tests.counting import NOW as NO_PATIENCE
from tests.counting import Desk, Log
from tests.incident import NOW, incident, job

BURST = [Step("event", 10)] * 30


@pytest.fixture
def desk(database: settings.Postgres) -> Iterator[Desk]:
    made = Desk(Database(1, lambda: database), Log(), "error")
    samples.added()
    yield made
    made.close()


def counted() -> dict[str, float]:
    """Counters that moved since this was last asked, and how many lengths of time were taken."""
    return {name: value for name, value in samples.added().items() if "seconds" not in name or "_bucket" in name}


def test_an_event_is_counted_once_and_each_repetition_says_what_it_was(desk: Desk) -> None:
    records = desk.records(BURST, minted=False)
    desk.engine.handle(records)
    first = counted()
    assert first.pop("signals_events_counted_total") == 30
    assert first.pop('signals_incidents_opened_total{rule="error_spike"}') == 1
    assert first.pop('signals_records_published_total{topic="signals.ai.jobs.v1"}') == 1
    assert first.pop('signals_rule_evaluations_total{rule="error_spike"}') > 0
    assert [name.partition("{")[0] for name in first] == ["signals_detection_seconds_bucket"]

    desk.engine.handle(records)
    assert counted() == {'signals_duplicates_dropped_total{why="redelivered"}': 30}

    again = desk.records([Step("event", 10)] * 2, minted=False, event_id=UUID(int=3))
    desk.engine.handle([*records[-5:], *again, *desk.records([Step("event", 10)], minted=False)])
    third = counted()
    assert third['signals_duplicates_dropped_total{why="redelivered"}'] == 5
    assert third['signals_duplicates_dropped_total{why="repeated"}'] == 2
    assert third["signals_events_counted_total"] == 1


def test_detection_is_measured_from_the_event_that_opened_the_incident(desk: Desk) -> None:
    """Of minute 10 in 2024, received that very minute; the two that were first are not the ones that tell."""
    before = desk.records([Step("event", 10)] * 29)
    desk.engine.handle(before)
    names.DETECTION.sums.clear()
    desk.engine.handle(desk.records([Step("event", 11), Step("event", 13)]))
    opener = desk.rows(
        "SELECT extract(epoch FROM now() - min(occurred_at)) FROM incident_events WHERE event_id = :e", e=UUID(int=29)
    )
    assert names.DETECTION.sums[()] == pytest.approx(float(opener[0][0]), abs=60)


def test_what_was_rolled_back_was_not_counted(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    records, simple = desk.records(BURST), Connection.simple

    def dies(conn: Connection, text: str) -> list[Row]:
        if "COMMIT" in text and "progress" in text and "buckets" in text:
            raise Unavailable("Postgres")
        return simple(conn, text)

    monkeypatch.setattr(Connection, "simple", dies)
    with pytest.raises(Unavailable):
        desk.engine.handle(records)
    assert counted() == {}


def test_what_a_stopped_partition_hides_from_the_clock_is_counted(desk: Desk) -> None:
    desk.engine.handle(desk.records(BURST))
    samples.added()
    late = desk.records([Step("event", 10)])
    [[opened]] = desk.rows("SELECT opened_at FROM incidents")
    resolve_stale.resolve(desk.database, desk.log, opened + timedelta(hours=3), NO_PATIENCE)
    assert counted() == {'signals_series_left_out_total{looking_for="stale"}': 1}
    desk.engine.handle(late)
    resolve_stale.resolve(desk.database, desk.log, opened + timedelta(hours=3), NO_PATIENCE)
    assert counted()['signals_incidents_resolved_total{by="clock"}'] == 1


def test_attempts_are_counted_by_what_became_of_them(conn: Connection, database_url: str) -> None:
    job(conn, incident(conn))
    bench = Bench(configured(database_url))
    samples.added()
    bench.worker.take(1)
    bench.close()
    assert counted() == {'signals_ai_attempts_total{outcome="plain"}': 1}
    count(Failed("http_503: gone"), held=True)
    count(Failed("deadline: no answer within 25 s"), held=False)
    count(Later(NOW, "budget"), held=True)
    assert counted() == {
        'signals_ai_attempts_total{outcome="failed"}': 1,
        'signals_ai_attempts_total{outcome="lost"}': 1,
        'signals_ai_attempts_total{outcome="later"}': 1,
        'signals_ai_failures_total{reason="http_503"}': 1,
    }
