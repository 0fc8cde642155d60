"""What a scenario is made of: events in the order of their arrival, and the incidents they must give."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any, NamedTuple

Event = dict[str, Any]
Arrival = tuple[float, Event]  # the minute in which it comes, and what comes
BASE = datetime(2026, 3, 2, tzinfo=UTC)  # minute 0: a Monday, midnight


class Expected(NamedTuple):
    """An incident, in minutes of the scenario. `hour` is the sum of the hour before, whose share the usual is."""

    fingerprint: str
    opened: int
    last_seen: int
    observed: int
    hour: int
    peak: int
    events: int
    severity: str = "error"
    resolved: int | None = None
    recurrence: bool = False
    rule: str = "error_spike"


class Scene(NamedTuple):
    name: str
    about: str
    events: list[Event]
    incidents: list[Expected]


def time_of(minute: float) -> str:
    at = BASE + timedelta(minutes=minute)
    whole = at.microsecond < 500
    return at.isoformat(timespec="seconds" if whole else "milliseconds").replace("+00:00", "Z")


def event(minute: float, kind: str, message: str, *, severity: str = "", **attributes: object) -> Event:
    made: Event = {"occurred_at": time_of(minute), "event_type": kind, "environment": "prod", "message": message}
    made |= {"severity": severity} if severity else {}
    return made | ({"attributes": attributes} if attributes else {})


def error(minute: float, code: str, route: str, **attributes: object) -> Event:
    message = f"{code.lower().replace('_', ' ')} at {route}"
    return event(minute, "error", message, severity="error", error_code=code, route=route, **attributes)


def signup(minute: float) -> Event:
    return event(minute, "signup", "signed up")


def view(minute: float, route: str = "/") -> Event:
    return event(minute, "http_request", f"GET {route}", route=route, method="GET", status_code=200)


def deploy(minute: float, service: str, release: str) -> Event:
    return event(minute, "deploy", f"{service} {release} deployed", service=service, release=release)


def spread(chance: Random, minute: int, count: int) -> list[float]:
    """So many moments of this minute, in order, to the second."""
    return sorted(minute + chance.randrange(60) / 60 for _ in range(count))


def each_minute(chance: Random, minutes: Iterable[int], count: int) -> Iterator[float]:
    for minute in minutes:
        yield from spread(chance, minute, count)


def in_time(*parts: Iterable[Event]) -> list[Event]:
    """As they happen; what happens in one second stays in the order given."""
    return sorted((one for part in parts for one in part), key=lambda one: one["occurred_at"])


def as_they_come(*parts: Iterable[Arrival]) -> list[Event]:
    """By arrival, which is not when they happened."""
    return [one for _, one in sorted((one for part in parts for one in part), key=lambda one: one[0])]
