"""What nothing continues is resolved in its own time, behind the same gate."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import msgspec
import pytest

from common import settings
from common.clients.postgres.database import Database
from common.events.envelope import encode
from common.incidents.clock import GRACE_MINUTES, time_of
from schedules import resolve_stale, watch_silence
from tests.cases import Step
from tests.counting import BASE, NOW, Desk, Log, envelope

BURST = [Step("event", 10)] * 30


@pytest.fixture
def desk(database: settings.Postgres) -> Iterator[Desk]:
    made = Desk(Database(4, lambda: database), Log(), "error")
    yield made
    made.close()


def resolve(desk: Desk, minute: int, later: timedelta = timedelta(0)) -> int:
    return resolve_stale.resolve(desk.database, desk.log, time_of(BASE + minute + GRACE_MINUTES) + later, NOW)


def test_sixty_minutes_after_it_was_last_seen(desk: Desk) -> None:
    desk.send(BURST)
    assert resolve(desk, 70) == 0
    assert resolve(desk, 71) == 1
    [(outcome, _)] = desk.outcomes()
    assert (outcome.status, outcome.resolved_at, outcome.by_person) == ("resolved", 70, False)
    assert desk.rows("SELECT who, what FROM incident_timeline ORDER BY id") == [
        ["engine", "opened"],
        ["clock", "resolved"],
    ]


def test_twice_or_at_the_same_time_is_once(desk: Desk) -> None:
    desk.send(BURST)
    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(lambda _: resolve(desk, 71), range(4))) == 1
    assert resolve(desk, 80) == 0


def test_not_while_the_engine_is_behind(desk: Desk) -> None:
    desk.send(BURST)
    waiting = desk.records([Step("event", 60)] * 30)
    assert resolve(desk, 75) == 0
    desk.engine.handle(waiting)
    assert resolve(desk, 75) == 0
    assert [outcome.status for outcome, _ in desk.outcomes()] == ["open"]


def test_history_is_never_old(desk: Desk) -> None:
    """Replayed after two years, it is open for the hour after it came."""
    later = timedelta(days=730)
    sent = [envelope(number, step, "error", "shop") for number, step in enumerate(BURST)]
    late = [msgspec.structs.replace(one, received_at=one.occurred_at + later) for one in sent]
    desk.engine.handle([desk.log.append(0, encode(one)) for one in late])
    assert resolve(desk, 70, later) == 0
    assert resolve(desk, 71, later) == 1


def test_a_drop_that_is_seen_live_is_judged_before_it_is_resolved(desk: Desk) -> None:
    signups = Desk(desk.database, desk.log, "signup", "signups", 1)
    signups.send([Step("event", minute) for minute in range(100) for _ in range(4)])
    now = time_of(BASE + 2000 + GRACE_MINUTES)
    assert resolve(desk, 2000) == 0
    assert watch_silence.watch(desk.database, desk.log, now, NOW) == 1
    [(outcome, _)] = signups.outcomes()
    assert (outcome.opened_at, outcome.last_seen_at, outcome.resolved_at) == (112, 1552, 1612)


def test_many_series_go_in_batches(desk: Desk) -> None:
    desk.send([Step("event", 10, series=f"s{number}") for number in range(450) for _ in range(30)])
    assert resolve(desk, 71) == 450
