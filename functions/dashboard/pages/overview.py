"""Overview: what is burning now, today beside yesterday, what was deployed, and whether anything is heard at all."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import msgspec

from common import settings
from common.clients.postgres import overview, rows
from common.clients.postgres.counted import Counted
from common.clients.postgres.overview import BIN, BINS, Bar, Overview
from common.clients.search import ask
from common.errors import Unavailable
from common.incidents.clock import minute_of, time_of
from functions.dashboard import listing, snippets, stores
from functions.dashboard import verdict as verdicts
from functions.dashboard.counting import counted_until, set_aside
from functions.dashboard.kept import Kept
from functions.dashboard.plots.day import Day, day
from functions.dashboard.serving import Asked, Page
from functions.dashboard.words import counted as counted_words
from functions.dashboard.words import duration, exact, figure, spelled

ROWS = 10
AFTER = timedelta(minutes=30)  # of quiet, until it is said that nothing followed a deploy
LOOKED = timedelta(minutes=3)  # of events, in which search shows how far behind it is
WORSE = ("critical", "error", "warn")
COUNTED = (("Errors", "error"), ("Signups", "signup"), ("Events received", ""))
PLOTTED = (("error", "error_spike"), ("signup", "signup_drop"))


class Days(NamedTuple):
    """Two days of bars, and their sums: of each day and type, of each type and quarter. Type "" is all of them."""

    bars: Sequence[Bar]
    totals: Counter[tuple[int, str]]
    quarters: Mapping[str, Mapping[int, int]]


two_days = Kept[Days](timedelta(seconds=15))


class Figure(NamedTuple):
    name: str
    value: str
    exact: str
    before: str


class Deploy(NamedTuple):
    deploy: overview.Deploy
    followed: str


class Indexed(NamedTuple):
    """What search says of its newest event; `answers` is False if it says nothing."""

    answers: bool
    newest: datetime | None = None
    received: datetime | None = None


newest = Kept[Indexed](timedelta(seconds=5))


def version(asked: Asked) -> object:
    return overview.version(asked.conn, asked.reader.caller.org_id, asked.reader.now)


def values(asked: Asked) -> Mapping[str, object]:
    reader, org = asked.reader, asked.reader.caller.org_id
    counted = counted_until(asked.conn, reader.now)
    found = rows.unresolved(asked.conn, rows.Asked(org, reader.now, counted), ROWS)
    seen = overview.overview(asked.conn, org, reader.now)
    days = two_days.of(org, reader.now, lambda: summed(overview.bars(asked.conn, org, reader.now)))
    indexed = newest.of(org, reader.now, lambda: newest_in_search(org, reader.now))
    last_event = verdicts.latest(seen, indexed.received)
    return {
        "seen": seen,
        "last_event": last_event,
        "spelled": spelled(reader.now - last_event) if last_event else "",
        "lines": [listing.line(row) for row in found.rows],
        "figures": figures(seen, days),
        "plots": {noun: plotted(asked, seen, days, noun, rule) for noun, rule in PLOTTED},
        "deploys": [Deploy(one, followed(one, reader.now)) for one in seen.deploys],
        "lasted": {one.id: duration(one.resolved_at - one.opened_at) for one in seen.resolved},
        "counted_to": counted_to(counted),
        "search_says": search_says(seen, indexed, reader.now),
        "set_aside": set_aside(reader.now) if reader.may("admin") else None,
        "verdict_of": lambda standing: verdicts.verdict(standing, seen, days.bars, reader.clock, last_event),
        "command": command(),
    }


def summed(bars: Sequence[Bar]) -> Days:
    totals: Counter[tuple[int, str]] = Counter()
    quarters: dict[str, Counter[int]] = defaultdict(Counter)
    for bar in bars:
        totals[bar.day, bar.event_type] += bar.value
        totals[bar.day, ""] += bar.value
        quarters[bar.event_type][bar.quarter] += bar.value
    return Days(bars, totals, dict(quarters))


def figures(seen: Overview, days: Days) -> list[Figure]:
    counts = [(name, days.totals[1, kind], days.totals[2, kind]) for name, kind in COUNTED]
    counts.append(("Incidents opened", seen.opened, seen.opened_before))
    return [Figure(name, figure(now), exact(now), f"{figure(before)} the day before") for name, now, before in counts]


def plotted(asked: Asked, seen: Overview, days: Days, noun: str, rule: str) -> Day:
    first = overview.first_bar(asked.reader.now)
    known = days.quarters.get(noun, {})
    values = [known.get(first // BIN + place, 0) for place in range(2 * BINS)]
    deploys = [(one.at, one.release or "") for one in seen.deploys]
    begins = first + BINS * BIN
    return day(noun, asked.reader.clock, begins, values[BINS:], values[:BINS], open_in(seen, rule, begins), deploys)


def open_in(seen: Overview, rule: str, begins: int) -> dict[int, str]:
    """Of each bar in which an incident of this rule was open, the worst severity."""
    found: dict[int, str] = {}
    for one in sorted(seen.open_in, key=lambda one: WORSE.index(one.severity), reverse=True):
        if one.rule == rule:
            first = (minute_of(one.opened_at) - begins) // BIN
            last = (minute_of(one.until) - begins) // BIN if one.until else BINS - 1
            found |= dict.fromkeys(range(max(first, 0), min(last + 1, BINS)), one.severity)
    return found


def followed(one: overview.Deploy, now: datetime) -> str:
    """Only what was observed: half an hour without an incident is nothing unusual."""
    if one.followed_at is None:
        return "Nothing unusual followed." if now - one.at >= AFTER else ""
    minutes = minute_of(one.followed_at) - minute_of(one.at)
    later = f"{counted_words(minutes, 'minute')} later" if minutes > 0 else "in the same minute"
    return f"An incident opened {later}."


def newest_in_search(org: str, now: datetime) -> Indexed:
    """In a short stretch of time: to count all that it has would cost more than the page."""
    try:
        found = stores.search().find(ask(org, since=now - LOOKED, until=now + LOOKED), limit=1).events
    except Unavailable:
        return Indexed(False)
    return Indexed(True, *times_of(found[0])) if found else Indexed(True)


def times_of(event: Mapping[str, Any]) -> tuple[datetime, datetime]:
    return msgspec.convert(event["occurred_at"], datetime), msgspec.convert(event["received_at"], datetime)


def search_says(seen: Overview, indexed: Indexed, now: datetime) -> tuple[str, str]:
    """How far it is behind what is counted: a figure, and the words around it."""
    if not indexed.answers:
        return "not answering", ""
    counted = time_of(seen.newest) if seen.newest is not None else None
    if counted is None or counted <= now - LOOKED or (indexed.newest and indexed.newest >= counted):
        return "up to date", ""
    if indexed.newest is None:
        return f"more than {duration(LOOKED)}", " behind"
    return duration(counted - indexed.newest), " behind"


def counted_to(counted: Counted) -> datetime:
    """The end of the newest minute that is counted everywhere."""
    return time_of(minute_of(counted.everywhere))


def command() -> str:
    """For an organisation without an event; its key is made in Setup."""
    return snippets.CURL.format(url=settings.current().ingest_url or snippets.YOUR_INGEST, key=snippets.YOUR_KEY)


page = Page("overview.html", values, version, every=15)
