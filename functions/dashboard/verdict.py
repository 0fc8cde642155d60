"""The first sentence of the first page: does anything need somebody, and is what we know of it alive."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Literal, NamedTuple

from common.clients.postgres.incidents import Standing
from common.clients.postgres.overview import Bar, Overview
from common.incidents.clock import time_of
from functions.dashboard.times import Clock
from functions.dashboard.words import counted, cut, exact, spelled, whole

DEAF = timedelta(minutes=5)  # of silence, at least
MISSED = 50  # events that would have come meanwhile: fewer may be chance
HOUR = 60
QUIET = "Everything else is quiet."
DEAF_WORDS = "Nothing can be noticed until they arrive again."
NOTHING_ELSE = "Nothing else can be noticed until they arrive again."


class Verdict(NamedTuple):
    kind: Literal["burning", "watched", "quiet", "deaf", "new"]
    words: str
    rest: list[str]  # the sentences before the proof of life


def verdict(
    standing: Standing, seen: Overview, bars: Sequence[Bar], clock: Clock, last_event: datetime | None
) -> Verdict:
    watched = standing.not_resolved - standing.nobodys
    if not seen.ever:
        words = "Send one with the command below; this page shows it within a few seconds."
        return Verdict("new", "No event has arrived yet", [words])
    silent = silence(seen, bars, clock.now, last_event)
    elsewhere = QUIET if silent is None else f"{no_events(silent)}. {NOTHING_ELSE}"
    if standing.nobodys:
        more = [f"{exact(watched)} more {being(watched)} being investigated."] if watched else []
        return Verdict("burning", needs(standing.nobodys), [*more, elsewhere])
    if watched:
        return Verdict("watched", f"{counted(watched, 'incident')} {being(watched)} being investigated", [elsewhere])
    if silent is not None:
        usual = f"Usually about {exact(max(whole(rate(bars)), 1))} a minute."
        return Verdict("deaf", no_events(silent), [usual, DEAF_WORDS])
    return Verdict("quiet", "All quiet", [since_when(seen, clock)])


def no_events(silent: timedelta) -> str:
    return f"No events for {spelled(silent)}"


def needs(count: int) -> str:
    return f"{counted(count, 'incident')} need{'s' if count == 1 else ''} someone"


def being(count: int) -> str:
    return "is" if count == 1 else "are"


def since_when(seen: Overview, clock: Clock) -> str:
    last = seen.last_resolved
    if last is None:
        return "No incident has been opened yet."
    return f"No incident since {clock.absolute(last.resolved_at)}, when “{cut(last.title, 80)}” was resolved."


def silence(seen: Overview, bars: Sequence[Bar], now: datetime, last_event: datetime | None) -> timedelta | None:
    """How long nothing came, if that is no chance: fifty events would have."""
    last = last_event or (time_of(seen.newest) if seen.newest is not None else None)
    if last is None:
        return None
    silent = now - last
    missed = rate(bars) * (silent / timedelta(minutes=1))
    return silent if silent >= DEAF and missed >= MISSED else None


def rate(bars: Sequence[Bar]) -> float:
    """Events a minute, in the hour of bars before the one of the newest event."""
    totals = sums(bars)
    newest = max(totals, default=0)
    return sum(totals.get(quarter, 0) for quarter in range(newest - 4, newest)) / HOUR


def sums(bars: Sequence[Bar]) -> dict[int, int]:
    found: dict[int, int] = {}
    for bar in bars:
        found[bar.quarter] = found.get(bar.quarter, 0) + bar.value
    return found


def latest(seen: Overview, received: datetime | None) -> datetime | None:
    """When the last event came: as search has it, or not before the minute in which one was counted."""
    minute = time_of(seen.newest) if seen.newest is not None else None
    return max((time for time in (minute, received) if time is not None), default=None)
