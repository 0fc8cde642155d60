"""Numbered facts: what code can prove about an incident, each with what it refers to. The model must cite them."""

import re
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import msgspec

from common.summaries.background import EPOCH, Background, Deploy, Event, Neighbour, Subject
from common.summaries.mask import mask

MOST, LONGEST = 30, 300
EXACT = 10  # from here on without a decimal place
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
# A code, a route, a release as people write them; whatever else stands there is some caller's prose.
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:@+-]{0,79}")
_ROUTE = re.compile(r"/(?!/)(?:[A-Za-z0-9_.~:{}*-]+/?){0,12}")
_HOST = re.compile(
    r"(?:[A-Za-z0-9-]+\.)+(?:[a-z]{2,24}|[A-Z]{2,24})(?::\d+)?|.*@.*|.*://.*|(?:\d{1,3}\.){3}\d{1,3}(?::\d+)?"
)


class Shows(msgspec.Struct, frozen=True, omit_defaults=True):
    """A count, perhaps of so many, in the minutes from `since` to `until`; or the moment `since` of a deploy."""

    count: int | None = None
    of: int | None = None
    since: datetime | None = None
    until: datetime | None = None


class Fact(msgspec.Struct, frozen=True):
    """`names` are the code-like tokens it may be cited with; `refers` says what proves it, for a link.

    `shows` is what was counted, or when: for whoever shows the proof in a few characters.
    """

    number: int
    text: str
    names: tuple[str, ...] = ()
    refers: tuple[str, ...] = ()
    shows: Shows | None = None


def facts(known: Background) -> list[Fact]:
    """At most thirty, most important first."""
    parts = (_opening, _subject, _course, _hour, _deploys, _releases, _values, _index, _others, _history)
    said = [one for part in parts for one in part(known)]
    return [
        Fact(number, mask(one.text)[:LONGEST], tuple(n for n in one.names if mask(n) == n), one.refers, one.shows)
        for number, one in enumerate(said[:MOST], 1)
    ]


def _fact(text: str, *refers: str, names: tuple[str | None, ...] = (), shows: Shows | None = None) -> Fact:
    return Fact(0, text, tuple(name for name in names if name), refers, shows)


def _opening(known: Background) -> Iterator[Fact]:
    of, noun = known.incident, known.noun
    window = f"{of.window_minutes} minutes"
    yield _fact(
        f"The incident opened at {_time(of.opened_at)}: {of.observed} {noun} in {window}, where {usually(of.usual)}.",
        "series",
        shows=Shows(of.observed, since=of.first, until=of.opened_at),
    )
    if noun == "errors" and of.usual >= 1:
        yield _fact(
            f"At its opening that was {of.observed / of.usual:.2g} times the usual number.",
            "series",
            shows=Shows(of.observed, since=of.first, until=of.opened_at),
        )
    yield _fact(f"Its severity is {of.severity}.", "incident")


def _subject(known: Background) -> Iterator[Fact]:
    of = known.incident
    parts = [
        ("the error code", tidy(of.error_code)),
        ("the route", tidy_route(of.route)),
        ("the service", tidy(of.service)),
    ]
    given = [f"{what} {name}" for what, name in parts if name]
    where = f" with {', '.join(given)}" if given else ""
    names = (of.environment, *(name for _, name in parts))
    yield _fact(f"It is about {known.noun}{where} in the environment {of.environment}.", "incident", names=names)


def _course(known: Background) -> Iterator[Fact]:
    of, noun = known.incident, known.noun
    worst = "peak" if noun == "errors" else "lowest"
    at_worst = f"At its {worst} there were {of.peak} {noun} in {of.window_minutes} minutes."
    yield _fact(at_worst, "series", shows=Shows(of.peak))
    if known.newest is not None:
        newest = EPOCH + timedelta(minutes=known.newest)
        yield _fact(
            f"In the {of.window_minutes} minutes up to {_time(newest)} there were {known.present} {noun}.",
            "series",
            shows=Shows(known.present, since=newest - timedelta(minutes=of.window_minutes - 1), until=newest),
        )
    last = f"; the newest is of {_time(of.last_event_at)}" if of.last_event_at else ""
    counted = f"Since {_time(of.first)} it counts {of.event_count} {noun}{last}."
    yield _fact(counted, "series", shows=Shows(of.event_count, since=of.first))


def _hour(known: Background) -> Iterator[Fact]:
    first = (known.incident.first - EPOCH) // timedelta(minutes=1)
    hour = [count for minute, count in known.minutes if minute < first]
    window = [(minute, count) for minute, count in known.minutes if minute >= first and count]
    yield _fact(
        f"In the 60 minutes before, {sum(hour)} {known.noun} were counted, "
        f"at most {max(hour, default=0)} in one minute.",
        "series",
        shows=Shows(sum(hour), since=known.incident.first - HOUR, until=known.incident.first - MINUTE),
    )
    if window and known.noun == "errors":
        start, worst = window[0][0], max(count for _, count in window)
        yield _fact(
            f"The first errors of the window came at {_time(EPOCH + timedelta(minutes=start))}; "
            f"its worst minute had {worst} errors.",
            "series",
            shows=Shows(worst),
        )


def _deploys(known: Background) -> Iterator[Fact]:
    for deploy in known.deploys:
        release, service = tidy(deploy.release), tidy(deploy.service)
        what = f"Release {release}" if release else "A release without a usable name"
        of = f" of the service {service}" if service else ""
        yield _fact(
            f"{what}{of} was deployed at {_time(deploy.occurred_at)}, {_apart(deploy, known.incident)}.",
            f"deploy:{deploy.event_id}",
            names=(release, service),
            shows=Shows(since=deploy.occurred_at),
        )
    if not known.deploys:
        yield _fact("No deploy is known in the 120 minutes before it opened.", "deploys")


def _apart(deploy: Deploy, of: Subject) -> str:
    minutes = round((of.opened_at - deploy.occurred_at).total_seconds() / 60)
    when = "before" if minutes >= 0 else "after"
    return f"{span(minutes)} {when} the incident opened"


def _releases(known: Background) -> Iterator[Fact]:
    """As the kept events name them."""
    counted = _counted(known.events, "release")
    for release, having in counted.most_common(3):
        first = min(event.occurred_at for event in known.events if event.attributes.get("release") == release)
        yield _fact(
            f"Release {release} is named by {having} of {len(known.events)} kept events, first at {_time(first)}.",
            *_of_events(known.events, "release", release),
            names=(release,),
            shows=Shows(having, len(known.events)),
        )


def _values(known: Background) -> Iterator[Fact]:
    for attribute, what in (("status_code", "Status code"), ("service", "The service"), ("host", "The host")):
        if attribute == "service" and known.incident.service:
            continue
        for value, having in _counted(known.events, attribute).most_common(2):
            yield _fact(
                f"{what} {value} is named by {having} of {len(known.events)} kept events.",
                *_of_events(known.events, attribute, value),
                names=(value,),
                shows=Shows(having, len(known.events)),
            )


def _index(known: Background) -> Iterator[Fact]:
    if not known.seen.answered:
        yield _fact("Search did not answer in time, so its events are not considered.", "search")
        return
    of = known.incident
    yield _fact(
        f"The search index held {known.seen.held} matching events of the window, in which {of.observed} were counted.",
        "search:own",
        shows=Shows(known.seen.held, since=of.first, until=of.opened_at),
    )


def _others(known: Background) -> Iterator[Fact]:
    if others := known.seen.other_errors:
        shows = Shows(others, since=known.incident.first, until=known.incident.opened_at)
        yield _fact(f"In the same minutes search holds {others} other errors.", "search:others", shows=shows)
    for route, count in known.seen.other_routes.items():
        if name := tidy_route(route):
            said = f"Of these other errors {count} are on the route {name}."
            yield _fact(said, "search:others", names=(name,), shows=Shows(count, known.seen.other_errors))
    for neighbour in known.together:
        yield _neighbour(neighbour, known.incident)


def _neighbour(one: Neighbour, of: Subject) -> Fact:
    code, route = tidy(one.error_code), tidy_route(one.route)
    what = "signups that dry up" if one.rule == "signup_drop" else "errors"
    what += (f" with the error code {code}" if code else "") + (f" on the route {route}" if route else "")
    minutes = round((one.opened_at - of.opened_at).total_seconds() / 60)
    when = "in the same minute" if not minutes else f"{span(minutes)} {'later' if minutes > 0 else 'earlier'}"
    said, shows = f"Another incident, {what}, opened {when}.", Shows(since=one.opened_at)
    return _fact(said, f"incident:{one.id}", names=(code, route), shows=shows)


def _history(known: Background) -> Iterator[Fact]:
    if before := known.before:
        yield _fact(
            f"The same was seen before: an incident opened at {_time(before.opened_at)} "
            f"and was last seen at {_time(before.last_seen_at)}.",
            f"incident:{before.id}",
            shows=Shows(since=before.opened_at),
        )


def _counted(events: list[Event], attribute: str) -> Counter[str]:
    """How many events have which value, of those that are names."""
    named = (tidy(event.attributes.get(attribute)) for event in events)
    return Counter(name for name in named if name)


def _of_events(events: list[Event], attribute: str, value: str) -> list[str]:
    """The first and the newest that prove it."""
    having = [f"event:{event.event_id}" for event in events if event.attributes.get(attribute) == value]
    return list(dict.fromkeys((having[0], having[-1])))


def tidy(name: str | None) -> str | None:
    """A name fit to be repeated: one word as code has them, no address, no host. None: it is not."""
    return name if name and _NAME.fullmatch(name) and not _HOST.fullmatch(name) and mask(name) == name else None


def tidy_route(route: str | None) -> str | None:
    if not route or len(route) > 120 or not _ROUTE.fullmatch(route) or mask(route) != route:
        return None
    return None if any(_HOST.fullmatch(part) for part in route.split("/")) else route


def usually(usual: float) -> str:
    """As exact as it helps: a twelfth of an hour is seldom a whole number."""
    if usual < 1:
        return "less than one is usual" if usual else "none is usual"
    shown = f"{usual:.0f}" if usual >= EXACT else f"{usual:.1f}".removesuffix(".0")
    return f"{shown} {'is' if shown == '1' else 'are'} usual"


def span(minutes: int) -> str:
    return "1 minute" if abs(minutes) == 1 else f"{abs(minutes)} minutes"


def _time(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
