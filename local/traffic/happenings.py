"""What is going on in the shop: deploys, some of them bad, sales that bring crowds, droughts of signups."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from random import Random
from typing import NamedTuple

SERVICES = ("storefront", "search", "checkout", "payments", "accounts")
BLOCK = 6 * 60  # minutes, for which the seed says what goes on
BLOCKS_BEHIND = 5  # how far back the last deploy of a service is looked for


class Happening(NamedTuple):
    kind: str  # deploy | bad_deploy | rollback | sale | drought
    first: int  # minute of the epoch
    minutes: int = 0
    service: str = ""

    @property
    def release(self) -> str:
        """Named by its time, as many name theirs."""
        return f"{datetime.fromtimestamp(self.first * 60, UTC):%Y.%m.%d-%H%M}"

    def lasts(self, minute: int) -> bool:
        return self.first <= minute < self.first + self.minutes


Happens = Callable[[int], Sequence[Happening]]  # all that may matter in a minute


def drawn(seed: int, block: int) -> list[Happening]:
    """Of one block: it may be calm, and on a bad day much comes together."""
    chance, start = Random(f"{seed}/{block}"), block * BLOCK  # noqa: S311  it decides what happens in a play
    found = [
        Happening("deploy", start + chance.randrange(BLOCK), service=one) for one in SERVICES if chance.random() < 0.4
    ]
    if chance.random() < 0.55:
        found += bad_deploy(start + chance.randrange(BLOCK - 60), chance.randint(8, 22), chance.choice(SERVICES))
    if chance.random() < 0.5:
        found.append(Happening("sale", start + chance.randrange(BLOCK - 40), chance.randint(15, 40)))
    if chance.random() < 0.3:
        found.append(Happening("drought", start + chance.randrange(BLOCK - 60), chance.randint(25, 50)))
    return found


def bad_deploy(first: int, minutes: int, service: str) -> list[Happening]:
    """Its errors begin a minute later, and end when it is rolled back."""
    return [Happening("bad_deploy", first, minutes, service), Happening("rollback", first + minutes, 0, service)]


def around(seed: int, minute: int) -> list[Happening]:
    """What may matter in this minute."""
    block = minute // BLOCK
    return [one for each in range(block - BLOCKS_BEHIND, block + 1) for one in drawn(seed, each)]


def deploys(happenings: Iterable[Happening], minute: int) -> list[Happening]:
    return [one for one in happenings if one.first == minute and one.kind in ("deploy", "bad_deploy", "rollback")]


def troubled(happenings: Iterable[Happening], minute: int) -> Iterator[Happening]:
    return (one for one in happenings if one.kind == "bad_deploy" and one.lasts(minute) and minute > one.first)


def release_of(happenings: Sequence[Happening], service: str, minute: int) -> str:
    """The last that was deployed and not rolled back."""
    known = sorted(
        one for one in happenings if one.service == service and one.kind != "rollback" and one.first <= minute
    )
    good = [one for one in known if one.kind == "deploy" or one.lasts(minute)]
    return max(good, key=lambda one: one.first).release if good else "2026.01.15-0900"


def intensity(happenings: Iterable[Happening], minute: int) -> float:
    return 3.0 if any(one.kind == "sale" and one.lasts(minute) for one in happenings) else 1.0


def told(one: Happening) -> str:
    """For whoever watches."""
    return {
        "deploy": f"{one.service} {one.release} is deployed",
        "bad_deploy": f"{one.service} {one.release} is deployed, and it is a bad one",
        "rollback": f"{one.service} is rolled back",
        "sale": f"a sale brings three times the customers, for {one.minutes} minutes",
        "drought": f"hardly anybody can sign up, for {one.minutes} minutes",
    }[one.kind]
