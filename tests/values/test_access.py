"""Keys in memory: known for half a minute, asked about in bundles, and what goes on while Postgres does not answer."""

import asyncio
import threading
from collections.abc import Coroutine, Mapping
from typing import Any

import pytest

from common import credentials
from common.clients.postgres.keys import Project
from common.errors import Misconfigured, Problem, Unavailable
from functions.ingest import access
from functions.ingest.access import FORGET, OUTAGE, REMEMBERED, STILL_DOWN, Access, key_in

KEY = credentials.mint(credentials.PROJECT_KEY, bytes(24))
TOKEN = credentials.mint(credentials.ACCESS_TOKEN, bytes(24))
SHOP = Project("shop", "acme", None)


class Registry:
    """A Postgres that knows some keys; `error` is what it says when it does not answer."""

    def __init__(self, *keys: str) -> None:
        self.known = {credentials.digest(key): SHOP for key in keys}
        self.error: Exception | None = None
        self.asked: list[list[str]] = []
        self.used: list[list[str]] = []
        self.now = 1000.0
        self.may_answer = threading.Event()
        self.may_answer.set()
        self.access = Access(self.look_up, self.used.append, lambda: self.now)

    def look_up(self, digests: list[str]) -> Mapping[str, Project]:
        self.asked.append(digests)
        assert self.may_answer.wait(10)
        if self.error:
            raise self.error
        return {digest: self.known[digest] for digest in digests if digest in self.known}

    async def project(self, key: str = KEY) -> str:
        """The project, or the code of the refusal."""
        try:
            return (await self.access.project_of({"x-api-key": key})).id
        except Problem as problem:
            return problem.code
        except Unavailable:
            return "unavailable"

    async def settled(self) -> None:
        """What was asked on the side is answered."""
        while self.access._next or (self.access._now and not self.access._now.done()):
            await asyncio.sleep(0.005)


def run(work: Coroutine[Any, Any, None]) -> None:
    asyncio.run(work)


def keys(count: int) -> list[str]:
    return [credentials.mint(credentials.PROJECT_KEY, number.to_bytes(24, "big")) for number in range(1, count + 1)]


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ({}, "missing_key"),
        ({"x-api-key": "  "}, "missing_key"),
        ({"authorization": "Basic dTpw"}, "missing_key"),
        ({"authorization": "Bearer "}, "missing_key"),
        ({"x-api-key": TOKEN}, "wrong_kind"),
        ({"authorization": f"Bearer {TOKEN}"}, "wrong_kind"),
        ({"x-api-key": KEY[:-1]}, "malformed_key"),
        ({"x-api-key": f"{KEY}, {KEY}"}, "malformed_key"),  # the header was sent twice
        ({"x-api-key": "sck_größer"}, "malformed_key"),
        ({"x-api-key": "password"}, "malformed_key"),
    ],
)
def test_what_cannot_be_a_key_is_refused_without_a_query(headers: dict[str, str], code: str) -> None:
    registry = Registry()
    with pytest.raises(Problem) as caught:
        run(registry.access.project_of(headers))  # type: ignore[arg-type]
    assert (caught.value.code, caught.value.status) == (code, 401)
    assert ("www-authenticate", "Bearer") in caught.value.headers
    assert registry.asked == []


@pytest.mark.parametrize(
    "headers", [{"x-api-key": f" {KEY} "}, {"authorization": f"Bearer {KEY}"}, {"authorization": f"bearer  {KEY}"}]
)
def test_a_key_may_come_in_two_headers(headers: dict[str, str]) -> None:
    assert key_in(headers) == KEY


def test_known_and_unknown_keys_are_asked_about_once() -> None:
    async def work() -> None:
        registry = Registry(KEY)
        [stranger] = keys(1)
        for _ in range(3):
            assert await registry.project() == "shop"
            assert await registry.project(stranger) == "unknown_key"
        assert [len(asked) for asked in registry.asked] == [1, 1]

    run(work())


@pytest.mark.parametrize("seconds", [0.5, 7, 19, 25, 29])
def test_a_revoked_key_is_dead_thirty_seconds_later_whatever_the_traffic(seconds: float) -> None:
    async def work() -> None:
        registry = Registry(KEY)
        assert await registry.project() == "shop"
        registry.known.clear()
        revoked = registry.now
        while await registry.project() == "shop":
            assert registry.now < revoked + 30
            registry.now += seconds
            await registry.settled()

    run(work())


def test_a_key_nobody_used_for_long_is_asked_about_before_it_is_believed() -> None:
    async def work() -> None:
        registry = Registry(KEY)
        assert await registry.project() == "shop"
        registry.known.clear()
        registry.now += 30
        assert await registry.project() == "unknown_key"

    run(work())


def test_a_new_key_that_was_tried_too_early_works_thirty_seconds_later() -> None:
    async def work() -> None:
        registry = Registry()
        assert await registry.project() == "unknown_key"
        registry.known = Registry(KEY).known
        registry.now += FORGET
        assert await registry.project() == "shop"

    run(work())


def test_a_key_in_use_is_asked_again_ahead_of_time_and_no_request_waits_for_it() -> None:
    async def work() -> None:
        registry = Registry(KEY)
        assert await registry.project() == "shop"
        registry.may_answer.clear()
        registry.now += 25
        assert await registry.project() == "shop"  # while Postgres thinks
        registry.may_answer.set()
        await registry.settled()
        assert len(registry.asked) == 2
        registry.now += 10  # 35 s after the first answer, 10 s after the second
        assert await registry.project() == "shop"
        assert len(registry.asked) == 2

    run(work())


def test_a_storm_of_keys_shares_a_question() -> None:
    async def work() -> None:
        registry = Registry()
        registry.may_answer.clear()
        first = asyncio.create_task(registry.project(KEY))
        while not registry.asked:
            await asyncio.sleep(0.001)
        storm = [asyncio.create_task(registry.project(key)) for key in keys(500)]
        await asyncio.sleep(2 * access.PACE)
        assert len(registry.asked) == 1
        registry.may_answer.set()
        assert set(await asyncio.gather(first, *storm)) == {"unknown_key"}
        assert [len(asked) for asked in registry.asked] == [1, 500]

    run(work())


def test_a_storm_one_after_the_other_is_paced() -> None:
    async def work() -> None:
        registry = Registry()
        began = asyncio.get_running_loop().time()
        registry.access._clock = asyncio.get_running_loop().time
        for key in keys(5):
            await registry.project(key)
        assert asyncio.get_running_loop().time() - began > 3 * access.PACE
        assert len(registry.asked) == 5

    run(work())


def test_invented_keys_do_not_push_out_real_ones_nor_fill_the_memory() -> None:
    async def work() -> None:
        registry = Registry(KEY)
        assert await registry.project() == "shop"
        await asyncio.gather(*map(registry.project, keys(REMEMBERED + 10)))
        asked = len(registry.asked)
        assert await registry.project() == "shop"
        await asyncio.gather(*map(registry.project, keys(3)))
        assert len(registry.asked) == asked
        [late] = keys(REMEMBERED + 11)[-1:]
        await registry.project(late)
        assert len(registry.access._answers) == 2  # the real one, and the late one

    run(work())


def test_while_postgres_is_away_known_keys_go_on_for_ten_minutes_and_unknown_ones_do_not() -> None:
    async def work() -> None:
        registry = Registry(KEY)
        [stranger] = keys(1)
        assert await registry.project() == "shop"
        registry.error = Unavailable("Postgres")
        for _ in range(9):
            registry.now += 60
            assert await registry.project() == "shop"
        assert await registry.project(stranger) == "unavailable"
        registry.now += 60
        assert await registry.project() == "unavailable"

    run(work())


def test_an_outage_makes_one_request_wait_and_not_the_next() -> None:
    async def work() -> None:
        registry = Registry(KEY)
        assert await registry.project() == "shop"
        registry.error = Unavailable("Postgres")
        registry.now += FORGET
        assert await registry.project() == "shop"
        registry.may_answer.clear()
        registry.now += STILL_DOWN - 0.1
        assert await registry.project() == "shop"
        registry.may_answer.set()
        await registry.settled()

    run(work())


def test_a_key_revoked_after_an_outage_is_dead_although_nobody_asked_since() -> None:
    async def work() -> None:
        registry = Registry(KEY)
        assert await registry.project() == "shop"
        registry.error = Unavailable("Postgres")
        registry.now += FORGET
        assert await registry.project() == "shop"
        registry.error = None
        registry.known.clear()
        registry.now += OUTAGE / 2
        assert await registry.project() == "unknown_key"

    run(work())


def test_a_misconfigured_database_is_told_to_whoever_waits_and_holds_up_nobody() -> None:
    async def work() -> None:
        registry = Registry(KEY)
        registry.error = Misconfigured("The database has schema 3.")
        for _ in range(2):
            with pytest.raises(Misconfigured):
                await registry.project()
        registry.error = None
        assert await registry.project() == "shop"

    run(work())


def test_a_caller_who_hangs_up_takes_nobody_with_him() -> None:
    async def work() -> None:
        registry = Registry(KEY)
        registry.may_answer.clear()
        first, second = (asyncio.create_task(registry.project()) for _ in range(2))
        await asyncio.sleep(0.01)
        first.cancel()
        registry.may_answer.set()
        assert await second == "shop"

    run(work())


def test_keys_that_were_found_are_noted_as_used() -> None:
    async def work() -> None:
        registry = Registry(KEY)
        await asyncio.gather(registry.project(), *map(registry.project, keys(2)))
        while not registry.used:
            await asyncio.sleep(0.001)
        assert registry.used == [[credentials.digest(KEY)]]

    run(work())


def test_whoever_is_known_waits_for_one_failure_not_for_two() -> None:
    registry = Registry(KEY)

    async def both() -> None:
        await registry.project()
        registry.now += FORGET + 1
        registry.error = Unavailable("Postgres", "it is frozen")
        registry.may_answer.clear()
        first = asyncio.create_task(registry.project())
        while len(registry.asked) < 2:
            await asyncio.sleep(0.005)
        second = asyncio.create_task(registry.project())
        await asyncio.sleep(0.01)
        registry.may_answer.set()
        assert [await first, await second] == ["shop", "shop"]
        assert len(registry.asked) == 2
        registry.may_answer.clear()
        registry.now += STILL_DOWN - 0.1
        assert await registry.project() == "shop", "although the next question is under way"
        registry.may_answer.set()
        await registry.settled()

    run(both())
