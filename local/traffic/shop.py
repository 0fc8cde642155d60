"""A shop as its customers use it: what happens in a minute is decided by the seed, the minute and what is going on."""

from collections.abc import Iterator, Sequence
from random import Random
from typing import Any, NamedTuple

from local.traffic.happenings import Happening, deploys, intensity, release_of, troubled

Event = dict[str, Any]
DAY = 24 * 60


class Route(NamedTuple):
    service: str
    method: str
    path: str
    per_minute: float  # at noon
    milliseconds: float


ROUTES = (
    Route("storefront", "GET", "/", 7, 40),
    Route("storefront", "GET", "/products/{}", 9, 60),
    Route("search", "GET", "/api/search", 6, 120),
    Route("checkout", "POST", "/api/cart", 3, 80),
    Route("checkout", "POST", "/api/checkout", 1.5, 400),
    Route("payments", "POST", "/api/payments/{}/charge", 1.5, 900),
    Route("accounts", "POST", "/api/login", 2, 150),
    Route("accounts", "GET", "/account", 1, 70),
)
# Each far below what would be unusual.
BACKGROUND = (
    ("storefront", "/products/{}", "IMAGE_MISSING", 404, 0.3),
    ("search", "/api/search", "INDEX_TIMEOUT", 504, 0.15),
    ("checkout", "/api/cart", "CART_EXPIRED", 409, 0.25),
    ("payments", "/api/payments/{}/charge", "CARD_DECLINED", 402, 0.4),
    ("accounts", "/api/login", "TOKEN_EXPIRED", 401, 0.3),
)
TROUBLE = {
    "storefront": ("/products/{}", "TEMPLATE_ERROR", "undefined variable 'discount' in product.html"),
    "search": ("/api/search", "QUERY_FAILED", "no such field: price_cents"),
    "checkout": ("/api/checkout", "NULL_TOTAL", "total of the cart is null"),
    "payments": ("/api/payments/{}/charge", "UPSTREAM_TIMEOUT", "payment provider did not answer within 3000 ms"),
    "accounts": ("/api/login", "SESSION_LOST", "session store refused the connection"),
}
SELDOM = 0.02  # a minute: what breaks once is never quite gone
SIGNUPS, ORDERS, FEEDBACK = 4.5, 2.0, 0.08  # a minute, at noon
TRICKLE = 7  # in a drought, a signup each so many minutes gets through
WORDS = ("Love the new search.", "Checkout took ages today.", "Could not find the size table.", "Fast delivery!")


class Life(NamedTuple):
    """`noon` is the minute of the day when most people are awake; of a workday a day at the weekend has `weekend`."""

    seed: int
    environment: str
    noon: int = 12 * 60
    weekend: float = 0.6


def minute_of(life: Life, minute: int, happenings: Sequence[Happening]) -> list[Event]:
    """Everything of this minute (of the epoch) in the order of its seconds, each with `second` for who sends it."""
    chance = Random(f"{life.seed}/{minute}")  # noqa: S311  it decides what happens in a play
    made = list(_things(life, minute, happenings, chance))
    timed = [(one.pop("second", None), one) for one in made]
    placed = [
        (chance.uniform(0, 60) if second is None else second, place, one) for place, (second, one) in enumerate(timed)
    ]
    return [one | {"second": second, "environment": life.environment} for second, _, one in sorted(placed, key=_when)]


def _when(placed: tuple[float, int, Event]) -> tuple[float, int]:
    return placed[:2]


def _things(life: Life, minute: int, happenings: Sequence[Happening], chance: Random) -> Iterator[Event]:
    awake = curve(life, minute) * intensity(happenings, minute)
    for happening in deploys(happenings, minute):
        yield _deploy(happening, release_of(happenings, happening.service, minute))
    for route in ROUTES:
        for _ in range(drawn(chance, route.per_minute * awake)):
            yield _request(route, release_of(happenings, route.service, minute), chance)
    for service, path, code, status, each in BACKGROUND:
        for _ in range(drawn(chance, each * awake)):
            message = f"{code.replace('_', ' ').lower()} at {path.format('…')}"
            yield _error(service, path, code, status, message, release_of(happenings, service, minute), chance)
    for service, (path, code, message) in TROUBLE.items():
        for _ in range(drawn(chance, SELDOM * awake)):
            yield _error(service, path, code, 500, message, release_of(happenings, service, minute), chance)
    for happening in troubled(happenings, minute):
        path, code, message = TROUBLE[happening.service]
        for _ in range(drawn(chance, 14 + 10 * awake)):
            yield _error(happening.service, path, code, 500, message, happening.release, chance)
    yield from _people(minute, happenings, awake, chance)


def _people(minute: int, happenings: Sequence[Happening], awake: float, chance: Random) -> Iterator[Event]:
    dry = any(one.kind == "drought" and one.lasts(minute) for one in happenings)
    for _ in range(int(minute % TRICKLE == 0) if dry else drawn(chance, SIGNUPS * awake)):
        plan = chance.choice(("free", "free", "plus"))
        yield _event("signup", "a customer signed up", service="accounts", plan=plan)
    for _ in range(drawn(chance, ORDERS * awake)):
        amount = round(chance.lognormvariate(3.6, 0.7), 2)
        yield _event("custom", "order placed", service="checkout") | {"payload": {"amount": amount, "currency": "EUR"}}
    for _ in range(drawn(chance, FEEDBACK * awake)):
        yield _event("feedback", chance.choice(WORDS), service="storefront", stars=chance.randint(2, 5))


def curve(life: Life, minute: int) -> float:
    """From a quarter at night to one at noon of a workday."""
    from_noon = abs((minute - life.noon + DAY // 2) % DAY - DAY // 2) / (DAY / 2)
    weekend = (minute // DAY + 3) % 7 >= 5  # the epoch began on a Thursday
    return (0.25 + 0.75 * (1 - from_noon**2) ** 2) * (life.weekend if weekend else 1)


def drawn(chance: Random, mean: float) -> int:
    """How many, where so many are to be expected."""
    count, passed = 0, chance.expovariate(1)
    while passed < mean:
        count, passed = count + 1, passed + chance.expovariate(1)
    return count


def _event(kind: str, message: str, **attributes: object) -> Event:
    return {"event_type": kind, "message": message, "attributes": attributes}


def _request(route: Route, release: str, chance: Random) -> Event:
    slow = round(route.milliseconds * chance.lognormvariate(0, 0.5), 1)
    path = route.path.format(chance.randrange(1, 4000))
    about = {"method": route.method, "route": path, "status_code": 200, "duration_ms": slow}
    return _event("http_request", f"{route.method} {path}", **about, service=route.service, release=release)


def _error(service: str, path: str, code: str, status: int, message: str, release: str, chance: Random) -> Event:
    about = {"route": path.format(chance.randrange(1, 4000)), "error_code": code, "status_code": status}
    made = _event("error", message, **about, service=service, release=release, host=f"{service}-{chance.randint(1, 3)}")
    return made | {"severity": "error"}


def _deploy(happening: Happening, release: str) -> Event:
    what = "rolled back to" if happening.kind == "rollback" else "deployed"
    made = _event("deploy", f"{happening.service} {what} {release}", service=happening.service, release=release)
    return made | {"second": 0.0}
