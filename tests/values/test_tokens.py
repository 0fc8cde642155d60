"""How long a token is believed, and who must wait: with a clock and an answer passed in."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest

from common import credentials
from common.access import FORGET, Access, must_be
from common.clients.postgres.tokens import Caller, Looked
from common.errors import Problem
from common.turns import Turns

NOW = datetime(2025, 1, 15, tzinfo=UTC)
ANNA = Caller("id", "acme", "anna", "responder", NOW + timedelta(hours=1))
TOKEN = credentials.mint(credentials.ACCESS_TOKEN, bytes(24))


class Known:
    """What Postgres would say, and how often it was asked."""

    def __init__(self, looked: Looked) -> None:
        self.looked, self.asked, self.time = looked, 0, 0.0
        self.access = Access(self, lambda: self.time)

    async def __call__(self, _digest: str, _whos: Sequence[str]) -> Looked:
        self.asked += 1
        return self.looked

    def ask(self, token: str = TOKEN, address: str = "here", now: datetime = NOW) -> Caller:
        return asyncio.run(self.access.caller_of({"authorization": f"Bearer {token}"}, address, now))

    def refusal(self, **more: str) -> str:
        with pytest.raises(Problem) as refused:
            self.ask(**more)  # type: ignore[arg-type]
        return refused.value.code


def test_a_token_is_believed_for_half_a_minute_and_no_longer() -> None:
    known = Known(Looked(ANNA))
    assert known.ask() == ANNA
    known.looked = Looked(None)  # revoked
    known.time = FORGET - 0.001
    assert known.ask() == ANNA
    known.time = FORGET
    assert known.refusal() == "unknown_token"
    assert FORGET <= 30


def test_a_token_expires_at_its_minute_though_it_is_remembered() -> None:
    known = Known(Looked(ANNA))
    assert known.ask(now=NOW + timedelta(minutes=59))
    with pytest.raises(Problem, match="expired"):
        known.ask(now=NOW + timedelta(hours=1))


def test_while_an_address_must_wait_nobody_is_asked_for_it() -> None:
    known = Known(Looked(None, wait_seconds=8))
    assert known.refusal() == "slow_down"
    known.looked = Looked(ANNA)
    assert known.refusal() == "slow_down"
    assert known.asked == 1
    assert known.ask(address="elsewhere") == ANNA
    known.time = 8
    assert known.ask() == ANNA


def test_who_was_good_here_need_not_wait() -> None:
    known = Known(Looked(ANNA))
    known.ask()
    other = credentials.mint(credentials.ACCESS_TOKEN, bytes([1]) * 24)
    known.looked = Looked(None, wait_seconds=1000)
    assert known.refusal(token=other) == "slow_down"
    known.looked, known.time = Looked(ANNA), FORGET
    assert known.ask() == ANNA


@pytest.mark.parametrize(
    ("role", "may"),
    [("viewer", {"viewer"}), ("responder", {"viewer", "responder"}), ("admin", {"viewer", "responder", "admin"})],
)
def test_each_role_may_do_what_those_below_it_may(role: str, may: set[str]) -> None:
    for needed in ("viewer", "responder", "admin"):
        caller = Caller("id", "acme", "anna", role)
        if needed in may:
            must_be(caller, needed)
        else:
            with pytest.raises(Problem):
                must_be(caller, needed)


def test_so_many_at_a_time_and_each_organisation_its_own() -> None:
    async def holding(turns: Turns, org: str, until: asyncio.Event) -> None:
        async with turns.of(org):
            await until.wait()

    async def play() -> str:
        turns, over = Turns(2, 0.01), asyncio.Event()
        held = [asyncio.create_task(holding(turns, "acme", over)) for _ in range(2)]
        await asyncio.sleep(0)
        async with turns.of("other"):
            pass
        try:
            async with turns.of("acme"):
                return "let in"
        except Problem as problem:
            return problem.code
        finally:
            over.set()
            await asyncio.gather(*held)
            async with turns.of("acme"):  # places are given back
                pass

    assert asyncio.run(play()) == "too_many_reads"
