"""What an incident says of itself: decided from whole minutes, in the words of its rule."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Literal, NamedTuple

from common.detection.readings import Reading
from common.detection.rules import MINUTES, SPIKE, reaches, threshold, usual
from common.incidents.clock import time_of
from common.incidents.incident import DAY, Incident
from common.incidents.timeline import CLOCK, ENGINE
from functions.dashboard.times import Clock
from functions.dashboard.words import NOUNS, capital, duration, exact, in_window, usually, whole

State = Literal["happening", "below", "usual", "resolved", "high"]


class Sentence(NamedTuple):
    """The number in bold, the rest after it, and the state it says: that alone is spoken when it changes."""

    state: State
    number: str
    rest: str
    spoken: str


def header(
    incident: Incident, clock: Clock, readings: Sequence[Reading], band: tuple[int, int] | None, who: str = ""
) -> Sentence:
    """`who` resolved it; `readings` end at the newest minute that is counted."""
    if incident.status == "resolved":
        return still_high(incident, readings) or _resolved(incident, who)
    number, state = _present(incident, readings), state_of(incident, readings, band)
    if state == "happening":
        return _said(incident, state, number, "Still happening.")
    word = "Back to usual" if state == "usual" else "Below the rule"
    if incident.rule != SPIKE and state == "below":
        word = "Above the rule"
    since = clock.minute(time_of(since_minute(incident, readings, band if state == "usual" else None)))
    rest = f"{word} since {since}; resolves by itself at {clock.minute(time_of(incident.end))}."
    return _said(incident, state, number, rest)


def row(incident: Incident, readings: Sequence[Reading], newest: Reading | None = None) -> Sentence:
    """The same number in one line; of a resolved one its worst, or how high it still is."""
    if incident.status != "resolved":
        number = _present(incident, readings)
        return Sentence(state_of(incident, readings, None), capital(number), _usually(incident), "")
    high = still_high(incident, [newest] if newest else [])
    if high:
        return high
    worst = f"{capital(in_window(incident.rule, incident.peak))} at its {worst_word(incident)}"
    return Sentence("resolved", worst, _usually(incident), "")


def title(incident: Incident, readings: Sequence[Reading], name: str) -> str:
    """Of the tab: 142 errors, usually 4: Checkout payments time out."""
    observed = incident.peak if incident.status == "resolved" else observed_now(incident, readings)
    noun = NOUNS[incident.rule]
    number = f"{exact(observed) if observed else 'No'} {noun}{'' if observed == 1 else 's'}"
    return f"{number}, {usually(usual(incident.rule, incident.hour))}: {name}"


def state_of(incident: Incident, readings: Sequence[Reading], band: tuple[int, int] | None) -> State:
    """Of one that is not resolved, in the newest counted minute."""
    newest = readings[-1] if readings else None
    if newest is None or newest.holds or incident.last_seen_at >= newest.minute:
        return "happening"
    return "usual" if band and _is_usual(incident, newest, band) else "below"


def observed_now(incident: Incident, readings: Sequence[Reading]) -> int:
    """In the newest counted minute; while that is before its opening, what it opened with."""
    newest = readings[-1] if readings else None
    return newest.observed if newest and newest.minute >= incident.opened_at else incident.observed


def since_minute(incident: Incident, readings: Sequence[Reading], band: tuple[int, int] | None) -> int:
    """The first minute since which nothing has held, or all was within the usual band."""
    first = readings[-1].minute if readings else incident.last_seen_at + 1
    for one in reversed(readings):
        if one.holds or (band and not _is_usual(incident, one, band)):
            break
        first = one.minute
    return max(first, incident.opened_at + 1)


def still_high(incident: Incident, readings: Sequence[Reading]) -> Sentence | None:
    """The day in which it is compared with its own usual has passed, and by that usual it would still hold."""
    by_time = incident.by_person is None and incident.resolved_at is not None
    if not readings or not by_time or (incident.resolved_at or 0) < incident.opened_at + DAY:
        return None
    newest = readings[-1]
    if not reaches(incident.rule, newest.observed, threshold(incident.rule, incident.hour)):
        return None
    noun = f"{NOUNS[incident.rule]}s"
    level = "high" if incident.rule == SPIKE else "low"
    before = whole(usual(incident.rule, incident.hour))
    number = f"{exact(newest.observed) if newest.observed else 'none'} in {MINUTES[incident.rule]} minutes"
    rest = f"Resolved by itself after a day, but {noun} are still {level}: "
    return Sentence("high", "", f"{rest}{number}, {exact(before) if before else 'none'} before this began.", rest)


def resolver(incident: Incident, who: str) -> str:
    """Ana Ruiz, or itself."""
    return "itself" if incident.by_person is None or who in ("", ENGINE, CLOCK) else who


def worst_word(incident: Incident) -> str:
    return "peak" if incident.rule == SPIKE else "lowest"


def lasted(incident: Incident) -> str:
    return duration(timedelta(minutes=(incident.resolved_at or incident.opened_at) - incident.opened_at))


def _resolved(incident: Incident, who: str) -> Sentence:
    number = f"{in_window(incident.rule, incident.peak)} at its {worst_word(incident)}"
    rest = f"Resolved by {resolver(incident, who)} after {lasted(incident)}."
    return _said(incident, "resolved", number, rest)


def _present(incident: Incident, readings: Sequence[Reading]) -> str:
    return in_window(incident.rule, observed_now(incident, readings))


def _said(incident: Incident, state: State, number: str, rest: str) -> Sentence:
    return Sentence(state, capital(number), f"{_usually(incident)}. {rest}", rest.split(" since ")[0])


def _usually(incident: Incident) -> str:
    return f", {usually(usual(incident.rule, incident.hour))}"


def _is_usual(incident: Incident, one: Reading, band: tuple[int, int]) -> bool:
    """Less than usual errors, or more than usual signups, are nothing to worry about."""
    return one.observed <= band[1] if incident.rule == SPIKE else one.observed >= band[0]
