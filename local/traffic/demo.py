"""The story of `make demo`: a day that was, told in a few seconds, and what is burning at its end."""

from local.traffic.happenings import Happening, Happens, around, bad_deploy
from local.traffic.shop import DAY, Life

HOURS = 24
SETTLED = 60  # minutes after the story, from which on the seed decides what goes on


def story(now: int) -> list[Happening]:
    """Relative to the minute it is told in: an incident long over, a sale, and two things that go wrong just now."""
    return [
        *(
            Happening("deploy", now - 1300 + 130 * place, service=one)
            for place, one in enumerate(("search", "accounts"))
        ),
        *bad_deploy(now - 9 * 60, 14, "search"),
        Happening("sale", now - 330, 25),
        Happening("deploy", now - 180, service="payments"),
        *bad_deploy(now - 26, 38, "payments"),
        Happening("drought", now - 24, 32),
    ]


def happens(seed: int, now: int) -> Happens:
    told = story(now)
    return lambda minute: [*told, *(one for one in around(seed, minute) if one.first >= now + SETTLED)]


def told_at(life: Life, now: int) -> Life:
    """Whenever it is told, it is noon of a workday: at night nobody would notice that nobody signs up."""
    return life._replace(noon=now % DAY, weekend=1.0)
