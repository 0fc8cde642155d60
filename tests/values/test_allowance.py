"""Rate limits: tenths from one row, batches taken or refused whole, and how much too much that can be."""

import asyncio
import random
from collections.abc import Coroutine
from typing import Any

import pytest

from common.clients.postgres.keys import Project, Taken
from common.errors import Problem, Unavailable
from functions.ingest.allowance import STILL_DOWN, Allowances


class Row:
    """The row of one project, as Postgres keeps it: its minute turns with `now`."""

    def __init__(self) -> None:
        self.now, self.minute, self.taken, self.asked = 600.0, 0, 0, 0
        self.error: Exception | None = None

    def take(self, _project: str, wanted: int) -> Taken:
        self.asked += 1
        if self.error:
            raise self.error
        minute = int(self.now // 60)
        self.minute, before = minute, self.taken if self.minute == minute else 0
        self.taken = before + wanted
        return Taken(before, 60 * (minute + 1) - self.now)

    def instance(self) -> Allowances:
        return Allowances(self.take, lambda: self.now)


def shop(limit: int | None) -> Project:
    return Project("shop", "acme", limit)


async def admitted(instance: Allowances, limit: int, events: int) -> bool:
    try:
        await instance.admit(shop(limit), events)
    except Problem:
        return False
    return True


def run(work: Coroutine[Any, Any, None]) -> None:
    asyncio.run(work)


def test_no_limit_asks_nobody_and_says_nothing() -> None:
    async def work() -> None:
        row = Row()
        assert await row.instance().admit(shop(None), 1000) == []
        assert row.asked == 0

    run(work())


def test_single_events_are_taken_up_to_exactly_the_limit_for_ten_questions() -> None:
    async def work() -> None:
        row = Row()
        instance = row.instance()
        assert sum([await admitted(instance, 100, 1) for _ in range(150)]) == 100
        assert row.asked == 10

    run(work())


def test_the_fields_say_the_policy_what_is_left_and_until_when() -> None:
    async def work() -> None:
        row = Row()
        row.now += 18.5
        instance = row.instance()
        assert await instance.admit(shop(100), 30) == [
            ("ratelimit-policy", '"events";q=100;w=60'),
            ("ratelimit", '"events";r=70;t=42'),
        ]
        await instance.admit(shop(100), 500)
        with pytest.raises(Problem) as caught:
            await instance.admit(shop(100), 1)
        assert (caught.value.code, caught.value.status) == ("rate_limited", 429)
        assert dict(caught.value.headers) == {
            "retry-after": "42",
            "ratelimit-policy": '"events";q=100;w=60',
            "ratelimit": '"events";r=0;t=42',
        }

    run(work())


def test_a_new_minute_is_a_new_allowance() -> None:
    async def work() -> None:
        row = Row()
        instance = row.instance()
        assert await admitted(instance, 10, 500)
        row.now += 59
        assert not await admitted(instance, 10, 1)
        row.now += 1
        assert await admitted(instance, 10, 1)

    run(work())


def test_what_was_left_of_a_minute_ends_with_it() -> None:
    async def work() -> None:
        row = Row()
        instance = row.instance()
        assert await admitted(instance, 100, 1)
        row.now += 60
        assert (await instance.admit(shop(100), 1))[1] == ("ratelimit", '"events";r=99;t=60')
        assert row.taken == 10

    run(work())


def test_nobody_asks_again_in_a_minute_that_is_used_up() -> None:
    async def work() -> None:
        row = Row()
        instance = row.instance()
        assert await admitted(instance, 10, 500)
        assert not await admitted(instance, 10, 1)
        asked = row.asked
        for _ in range(20):
            assert not await admitted(instance, 10, 1)
        assert row.asked == asked

    run(work())


@pytest.mark.parametrize("seed", range(20))
def test_the_overshoot_is_at_most_a_batch_and_a_tenth_an_instance(seed: int) -> None:
    async def work() -> None:
        chance, row = random.Random(seed), Row()
        instances = [row.instance() for _ in range(chance.randint(1, 4))]
        limit, batch = chance.choice([1, 7, 100, 600]), chance.choice([1, 10, 1000])
        taken = 0
        for _ in range(100 + 4 * limit):
            events = chance.randint(1, batch)
            if await admitted(chance.choice(instances), limit, events):
                taken += events
        most = limit + len(instances) * (batch + limit // 10)
        assert limit - len(instances) * max(1, limit // 10) <= taken <= most

    run(work())


def test_requests_at_the_same_time_share_a_question() -> None:
    async def work() -> None:
        row = Row()
        instance = row.instance()
        assert all(await asyncio.gather(*(admitted(instance, 1000, 1) for _ in range(100))))
        assert row.asked == 1

    run(work())


def test_while_postgres_is_away_an_instance_goes_by_what_it_knows() -> None:
    async def work() -> None:
        row = Row()
        instance = row.instance()
        assert sum([await admitted(instance, 100, 1) for _ in range(35)]) == 35
        row.error = Unavailable("Postgres")
        assert sum([await admitted(instance, 100, 1) for _ in range(100)]) == 65
        asked = row.asked
        row.now += STILL_DOWN - 0.1
        assert not await admitted(instance, 100, 1)
        assert row.asked == asked
        row.now += 60
        assert sum([await admitted(instance, 100, 1) for _ in range(150)]) == 100

    run(work())


def test_a_row_that_does_not_answer_in_a_second_holds_nobody_up(monkeypatch: pytest.MonkeyPatch) -> None:
    async def work() -> None:
        row, frozen = Row(), asyncio.get_running_loop().create_future()
        instance = row.instance()
        monkeypatch.setattr("functions.ingest.allowance.ANSWER_SECONDS", 0.02)
        monkeypatch.setattr(asyncio.get_running_loop(), "run_in_executor", lambda *_: frozen)
        assert await admitted(instance, 100, 5)

    run(work())
