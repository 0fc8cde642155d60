"""Silence is seen by the clock, and never where a consumer stands still, lags, or is only slow."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import msgspec
import pytest

from common import settings
from common.clients.gate import Patience
from common.clients.postgres.database import Database
from common.errors import Unavailable
from common.events.envelope import encode
from common.incidents.clock import GRACE_MINUTES, time_of
from schedules import resolve_stale, watch_silence
from tests.cases import Step
from tests.counting import BASE, NOW, Desk, Log, envelope

FLOW = [Step("event", minute) for minute in range(100) for _ in range(4)]
DRY = 113  # minutes 98 to 112 have eight: known from here on


@pytest.fixture
def desk(database: settings.Postgres) -> Iterator[Desk]:
    made = Desk(Database(4, lambda: database), Log(), "signup")
    yield made
    made.close()


def at(minute: int) -> datetime:
    return time_of(BASE + minute + GRACE_MINUTES)


def watch(desk: Desk, minute: int, patience: Patience = NOW) -> int:
    return watch_silence.watch(desk.database, desk.log, at(minute), patience)


def opened(desk: Desk) -> list[int]:
    return [outcome.opened_at for outcome, _ in desk.outcomes()]


def test_signups_that_dry_up_are_seen_when_the_minute_is_complete_and_two_more_have_passed(desk: Desk) -> None:
    desk.send(FLOW)
    watch(desk, DRY - 1)
    assert opened(desk) == []
    assert watch(desk, DRY) == 1
    assert opened(desk) == [DRY - 1]
    assert desk.rows("SELECT title FROM incidents") == [["Signups dry up (prod)"]]


def test_zero_signups_alert_within_four_minutes_of_the_rule_becoming_true(desk: Desk) -> None:
    """True at the end of minute 112; ten seconds to the next look, twenty at the gate, two minutes of grace."""
    desk.send(FLOW)
    waited = timedelta(seconds=30)
    watch_silence.watch(desk.database, desk.log, time_of(BASE + DRY) + timedelta(minutes=4) - waited, NOW)
    assert opened(desk) == [DRY - 1]


def test_it_tells_of_the_job_it_made(desk: Desk) -> None:
    desk.send(FLOW)
    watch(desk, DRY)
    assert (desk.jobs(), len(desk.log.notices)) == (1, 1)


def test_looking_twice_or_at_the_same_time_is_looking_once(desk: Desk) -> None:
    desk.send(FLOW)
    with ThreadPoolExecutor(4) as pool:
        changed = list(pool.map(lambda _: watch(desk, 130), range(4)))
    assert sum(changed) == 1
    assert watch(desk, 130) == 0
    assert (opened(desk), desk.jobs()) == ([DRY - 1], 1)


def test_an_engine_that_stands_still_is_not_silence(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    desk.send(FLOW)
    waiting = desk.records([Step("event", minute) for minute in range(100, 140)])
    assert watch(desk, 130) == 0
    assert opened(desk) == []
    said = capsys.readouterr().err
    assert '"level": "warn"' in said
    assert '"partitions": [0]' in said
    desk.engine.handle(waiting)
    assert watch(desk, 140) == 1  # judged now, and there was no silence
    assert opened(desk) == []


def test_another_partition_may_lag(desk: Desk) -> None:
    desk.send(FLOW)
    desk.log.highs[1] = 7
    assert watch(desk, DRY) == 1


def test_it_waits_for_the_engine_as_long_as_it_has_patience(desk: Desk) -> None:
    desk.send(FLOW)
    waiting = desk.records([Step("event", 100)])
    passed = [0.0]

    def sleep(seconds: float) -> None:
        passed[0] += seconds
        if passed[0] > 10 and waiting:
            desk.engine.handle(waiting)
            waiting.clear()

    assert watch(desk, 130, Patience(20, lambda: passed[0], sleep)) == 1
    assert 10 < passed[0] < 11


def test_patience_ends_after_twenty_seconds(desk: Desk) -> None:
    desk.send(FLOW)
    desk.records([Step("event", 100)])
    passed = [0.0]

    def sleep(seconds: float) -> None:
        passed[0] += seconds

    assert watch(desk, 130, Patience(20, lambda: passed[0], sleep)) == 0
    assert 20 <= passed[0] < 21


def test_nobody_waits_where_nothing_is_due(desk: Desk) -> None:
    desk.send(FLOW)
    desk.log.highs[0] += 1

    def sleep(seconds: float) -> None:
        raise AssertionError("nothing to wait for")

    assert watch(desk, 99, Patience(20, lambda: 0.0, sleep)) == 0


def test_what_retention_deleted_unread_is_not_waited_for(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.send(FLOW)
    monkeypatch.setattr(desk.log, "ends", lambda _: {0: (900, 900), 1: (0, 0)})
    assert watch(desk, DRY) == 1


def test_a_series_of_another_stream_passes_when_everything_is_counted(desk: Desk) -> None:
    desk.send(FLOW)
    moved = Log("another:1")
    moved.highs[1] = 1
    assert watch_silence.watch(desk.database, moved, at(DRY), NOW) == 0
    moved.highs[1] = 0
    assert watch_silence.watch(desk.database, moved, at(DRY), NOW) == 1


def test_a_stream_that_does_not_answer_leaves_it_to_the_next_tick(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.send(FLOW)

    def ends(_: str) -> None:
        raise Unavailable("The stream")

    monkeypatch.setattr(desk.log, "ends", ends)
    with pytest.raises(Unavailable):
        watch(desk, DRY)
    assert opened(desk) == []


def test_a_replay_is_no_silence_and_ends_in_its_own_time(desk: Desk) -> None:
    """Years late: its series time begins at its newest event, whenever that was received."""
    replayed = timedelta(days=700)

    def send(steps: list[Step]) -> None:
        plain = [envelope(number, step, "signup", "shop") for number, step in enumerate(steps)]
        late = [msgspec.structs.replace(one, received_at=one.occurred_at + replayed) for one in plain]
        desk.engine.handle([desk.log.append(0, encode(one)) for one in late])

    send(FLOW)
    assert watch_silence.watch(desk.database, desk.log, at(2000) + replayed, NOW) == 0
    # an event that proves the silence opens the drop; time resolves it, in the series' own time
    send([Step("event", 120)])
    assert opened(desk) == [112]
    assert resolve_stale.resolve(desk.database, desk.log, at(179) + replayed, NOW) == 0
    assert resolve_stale.resolve(desk.database, desk.log, at(181) + replayed, NOW) == 1
    [(outcome, _)] = desk.outcomes()
    assert (outcome.status, outcome.resolved_at) == ("resolved", 179)
