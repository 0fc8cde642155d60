"""The scenarios: each laid down from a seed, with the incidents it must give written beside it by hand."""

from collections.abc import Callable
from random import Random

from local.scenarios.scene import (
    Event,
    Expected,
    Scene,
    as_they_come,
    deploy,
    each_minute,
    error,
    event,
    in_time,
    signup,
    spread,
    view,
)

TIMEOUT, CHECKOUT = "UPSTREAM_TIMEOUT", "/api/checkout"
UPSTREAM = f"{TIMEOUT}|{CHECKOUT}|prod"


def thirty_are_enough(_: Random) -> Scene:
    about = "To be read by eye: six errors a minute; the thirtieth comes in the fifth minute and opens the incident."
    calm = [view(541), deploy(542, "checkout", "v2.0.0"), view(543)]
    errors = [error(545 + number / 6, TIMEOUT, CHECKOUT, status_code=504) for number in range(30)]
    found = Expected(UPSTREAM, opened=549, last_seen=549, observed=30, hour=0, peak=30, events=30)
    return Scene("thirty_are_enough", about, [*calm, *errors], [found])


def spike_errors(chance: Random) -> Scene:
    about = "An error that comes every third minute comes twenty times a minute for ten, and is over an hour later."
    usual = (error(minute + 0.3, TIMEOUT, CHECKOUT, status_code=504) for minute in range(480, 720, 3))
    burst = (error(at, TIMEOUT, CHECKOUT, status_code=504) for at in each_minute(chance, range(560, 570), 20))
    views = (view(at, CHECKOUT) for at in each_minute(chance, range(480, 720), 1))
    found = Expected(UPSTREAM, 561, 570, observed=30, hour=20, peak=102, events=225, resolved=630)
    return Scene("spike_errors", about, in_time(usual, burst, views), [found])


def drop_signups(chance: Random) -> Scene:
    about = "Four signups a minute, then none for half an hour, then four again: a drop from its first complete minute."
    before = (signup(at) for at in each_minute(chance, range(540, 640), 4))
    after = (signup(at) for at in each_minute(chance, range(670, 760), 4))
    views = (view(at, "/signup") for at in each_minute(chance, range(540, 760), 1))
    found = Expected(
        "signup|prod",
        652,
        671,
        observed=8,
        hour=240,
        peak=0,
        events=8 + 4 * 62,
        severity="critical",
        rule="signup_drop",
    )
    return Scene("drop_signups", about, in_time(before, after, views), [found._replace(resolved=731)])


def deploy_then_spike(chance: Random) -> Scene:
    about = "A release, two minutes later its errors, after twelve minutes the release before it again."
    deploys = [
        deploy(430, "checkout", "v2.14.0"),
        deploy(600, "checkout", "v2.15.0"),
        deploy(614, "checkout", "v2.14.0"),
    ]
    errors = [
        error(at, "NULL_TOTAL", "/api/cart/total", service="checkout", release="v2.15.0", status_code=500)
        for at in each_minute(chance, range(602, 614), 70)
    ]
    views = (view(at, "/cart") for at in each_minute(chance, range(430, 640), 1))
    found = Expected("NULL_TOTAL|/api/cart/total|prod", 602, 613, 30, hour=0, peak=350, events=840, severity="critical")
    return Scene("deploy_then_spike", about, in_time(deploys, errors, views), [found])


def two_services_one_cause(chance: Random) -> Scene:
    about = "A payment provider fails: two services err within a minute, each in its own words."
    views = (view(at) for at in each_minute(chance, range(600, 660), 1))
    checkout = (error(at, TIMEOUT, CHECKOUT, service="checkout") for at in each_minute(chance, range(630, 640), 15))
    billing = (
        error(at, "PROVIDER_502", "/jobs/charge", service="billing") for at in each_minute(chance, range(631, 641), 12)
    )
    found = [
        Expected(UPSTREAM, 631, 639, observed=30, hour=0, peak=75, events=150),
        Expected("PROVIDER_502|/jobs/charge|prod", 633, 640, observed=30, hour=0, peak=60, events=120),
    ]
    return Scene("two_services_one_cause", about, in_time(views, checkout, billing), found)


def late_and_out_of_order(chance: Random) -> Scene:
    about = "Phones that were offline: events come up to an hour late and are judged, after it they are only counted."
    # Fifteen, then fifteen of the minute before: together they fill the newer window.
    halves = [(611.5, error(611 + number / 15, "SYNC", "/app/sync")) for number in range(15)]
    halves += [(612.5, error(610 + number / 15, "SYNC", "/app/sync")) for number in range(15)]
    # One now, then thirty of exactly sixty minutes ago.
    hour = [(700.0, error(700, "UPLOAD", "/app/upload"))]
    hour += [(700.5, error(640 + number / 60, "UPLOAD", "/app/upload")) for number in range(30)]
    # ... and of sixty-one: counted, and nothing is asked.
    older = [(700.0, error(700, "DRAFT", "/app/draft"))]
    older += [(700.6, error(639 + number / 60, "DRAFT", "/app/draft")) for number in range(30)]
    views = [(at + chance.expovariate(0.2), view(at, "/app")) for at in each_minute(chance, range(600, 700), 2)]
    found = [
        Expected("SYNC|/app/sync|prod", 611, 611, observed=30, hour=0, peak=30, events=30),
        Expected("UPLOAD|/app/upload|prod", 640, 640, observed=30, hour=0, peak=30, events=31),
    ]
    return Scene("late_and_out_of_order", about, as_they_come(halves, hour, older, views), found)


def duplicates(_: Random) -> Scene:
    about = "A sender that is never sure: what it sends twice and thrice under one id is counted once."
    once = [named(error(600 + number / 20, "TWICE", "/a"), number) for number in range(29)]
    thrice = [named(error(600 + number / 20, "THRICE", "/b"), 100 + number) for number in range(30)]
    views = [named(view(600 + number / 2), 200 + number) for number in range(10)]
    found = Expected("THRICE|/b|prod", 601, 601, observed=30, hour=0, peak=30, events=30)
    return Scene("duplicates", about, [*once, *thrice, *once, *thrice, *views, *thrice], [found])


def named(given: Event, number: int) -> Event:
    """Under an id of its sender's own."""
    return {"event_id": f"00000000-0000-4000-8000-{number:012x}", **given}


def clock_skew(chance: Random) -> Scene:
    about = "Three hosts: one clock is right, one two minutes fast, one far in the future, which is set back to now."
    right = [(at, error(at, "DISK_FULL", "/jobs/export", host="a")) for at in each_minute(chance, range(605, 608), 5)]
    fast = [
        (at, error(at + 2, "DISK_FULL", "/jobs/export", host="b")) for at in each_minute(chance, range(605, 608), 5)
    ]
    future = [(604.0, error(512_640_000, "CLOCK", "/jobs/clock", host="c"))]  # in the year 3000
    people = [(at, signup(at)) for at in each_minute(chance, range(540, 660), 4)]
    people_fast = [(at, signup(at + 2)) for at in each_minute(chance, range(540, 658), 1)]
    found = Expected("DISK_FULL|/jobs/export|prod", 609, 609, observed=30, hour=0, peak=30, events=30)
    return Scene("clock_skew", about, as_they_come(right, fast, future, people, people_fast), [found])


def recurrence(chance: Random) -> Scene:
    about = (
        "An error that spikes, is quiet for an hour and a minute, and spikes again: a second incident, of the first."
    )
    first = (error(at, TIMEOUT, CHECKOUT) for at in spread(chance, 600, 40))
    second = (error(at, TIMEOUT, CHECKOUT) for at in spread(chance, 661, 50))
    views = (view(at) for at in each_minute(chance, range(590, 670), 1))
    found = [
        Expected(UPSTREAM, 600, 600, observed=30, hour=0, peak=40, events=40, resolved=660),
        Expected(UPSTREAM, 661, 661, observed=30, hour=40, peak=50, events=50, recurrence=True),
    ]
    return Scene("recurrence", about, in_time(first, second, views), found)


DAY, WEEK = 24 * 60, 7 * 24 * 60
BACKGROUND = (("CART_EXPIRED", "/api/cart"), ("BAD_COUPON", CHECKOUT), ("NO_STOCK", "/api/cart"))


def steady_is_quiet(chance: Random) -> Scene:
    """Around noon signups are so many that silence would be a drop; the nights come as slowly as nights do."""
    about = "A week with its days, nights and a weekend, thinned out: nothing of it is unusual."
    signups = (signup(at) for at in by_curve(chance, noon=3.2, night=0.12))
    errors = (error(at, *chance.choice(BACKGROUND)) for at in by_curve(chance, noon=0.5, night=0.05))
    views = (view(at) for at in by_curve(chance, noon=0.4, night=0.05))
    deploys = (deploy(day * DAY + 640, "storefront", f"v3.{day}.0") for day in range(5))
    feedback = (event(at, "feedback", "all is well") for at in by_curve(chance, noon=0.02, night=0.002))
    return Scene("steady_is_quiet", about, in_time(signups, errors, views, deploys, feedback), [])


def by_curve(chance: Random, *, noon: float, night: float) -> list[float]:
    """Moments of a week, so many a minute at noon and at night; of a weekend's noon, half."""
    found = []
    for minute in range(WEEK):
        light = max(0.0, 1 - ((minute % DAY - 720) / 540) ** 2) ** 2 * (0.5 if minute // DAY >= 5 else 1)
        mean, count = night + (noon - night) * light, 0
        until = chance.expovariate(1)
        while until < mean:
            until, count = until + chance.expovariate(1), count + 1
        found += spread(chance, minute, count)
    return found


SEED = 20260302
SCENES: tuple[Callable[[Random], Scene], ...] = (
    thirty_are_enough,
    spike_errors,
    drop_signups,
    deploy_then_spike,
    two_services_one_cause,
    late_and_out_of_order,
    duplicates,
    clock_skew,
    recurrence,
    steady_is_quiet,
)


def scenes(seed: int = SEED) -> list[Scene]:
    return [make(Random(f"{seed}/{make.__name__}")) for make in SCENES]  # noqa: S311  it decides what happens in a play
