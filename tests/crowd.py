"""Engines, clocks and people at the same rows at the same time, as after a change of the partition count."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from random import Random
from threading import Event

from common import settings
from common.clients.postgres import actions
from common.clients.postgres.actions import Act
from common.clients.postgres.database import Database
from common.edge.records import Record
from common.errors import Problem
from common.events.envelope import encode
from common.incidents.clock import time_of
from common.incidents.people import Person
from schedules import resolve_stale, watch_silence
from tests.cases import Step
from tests.counting import BASE, NOW, ORG, Desk, Log, envelope

ENGINES, SERIES = 4, 12
Where = Callable[[], settings.Postgres]

# As `doctor` would check it: of the newest incident of each series, the buckets of its minutes.
WRONG = """
    SELECT count(*) FROM incidents i JOIN series s ON s.incident = i.id
     WHERE event_count <> (
           SELECT sum(value) FROM buckets b
            WHERE b.series = s.id AND minute BETWEEN minute_of(opened_at) - window_minutes + 1
              AND minute_of(least(greatest(last_seen_at, reopened_at) + interval '1 hour', resolved_by_person_at)))
"""
TOTALS = """
    SELECT (SELECT sum(value) FROM buckets), (SELECT sum(value) FROM activity),
           (SELECT count(*) FROM incidents), (SELECT count(*) FROM ai_jobs)
"""


def crowd(where: Where, batches: int, seed: int = 1) -> tuple[int, list[int], int]:
    """How many different events were sent; the sums of the tables; incidents whose count is wrong.

    Each engine has a partition of its own, and all of them have all series. What goes wrong is raised.
    """
    log, over = Log("crowd:1"), Event()
    log.highs = dict.fromkeys(range(ENGINES), 0)
    desks = [Desk(Database(2, where), log, "error", "shop", part) for part in range(ENGINES)]
    with ThreadPoolExecutor(ENGINES + 2) as pool:
        others = [pool.submit(_clock, desks[0], over), pool.submit(_person, desks[1], over)]
        sent = [pool.submit(_send, desk, batches, Random(seed + desk.partition)) for desk in desks]
        try:
            numbers = set().union(*(one.result() for one in sent))
        finally:
            over.set()
        for other in others:
            other.result()
    totals, [wrong] = desks[0].rows(TOTALS)[0], desks[0].rows(WRONG)[0]
    for desk in desks:
        desk.close()
    return len(numbers), totals, wrong


def _send(desk: Desk, batches: int, chance: Random) -> set[int]:
    """Batches of all series in another order each, half of the ids chosen by the caller."""
    sent: set[int] = set()
    for batch in range(batches):
        numbers = [(batch * 100 + at) * ENGINES + desk.partition for at in range(60)]
        assert desk.engine.handle([_record(desk, number, batch, chance) for number in numbers]) == []
        sent.update(numbers)
    return sent


def _record(desk: Desk, number: int, batch: int, chance: Random) -> Record:
    step = Step("event", batch // 3, chance.random() < 0.05, f"s{chance.randrange(SERIES)}")
    value = envelope(number, step, "error", desk.project, minted=chance.random() < 0.5)
    return desk.log.append(desk.partition, encode(value))


def _clock(desk: Desk, over: Event) -> None:
    minute = 0
    while not over.wait(0.02):
        minute += 7
        for job in (watch_silence.watch, resolve_stale.resolve):
            job(desk.database, desk.log, time_of(BASE + minute), NOW)


def _person(desk: Desk, over: Event) -> None:
    chance = Random(7)
    while not over.wait(0.01):
        found = desk.rows("SELECT id::text FROM incidents")
        if found:
            act = Act(desk.database, ORG, chance.choice(found)[0], Person("ana"), time_of(BASE + chance.randrange(40)))
            with suppress(Problem):
                _do(act, desk, chance)


def _do(act: Act, desk: Desk, chance: Random) -> None:
    what = chance.choice(("acknowledge", "unacknowledge", "resolve", "reopen", "comment"))
    decides = what in ("resolve", "reopen")
    getattr(actions, what)(act, *((desk.log, NOW) if decides else ()))
