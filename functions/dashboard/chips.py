"""What proves a statement, in a few characters that lead to it: a count, an event, a deploy, another incident."""

from datetime import datetime, timedelta
from typing import NamedTuple

import msgspec

from common.clients.postgres.whole import Whole
from common.clients.search import incidents
from common.clients.search.language import field
from common.incidents.clock import MINUTE, minute_of, time_of
from common.settings import Keep
from common.summaries.facts import Shows
from functions.dashboard.question import HOUR, LONGEST, search_path
from functions.dashboard.times import Clock
from functions.dashboard.words import cut, exact


class Fact(msgspec.Struct, frozen=True):
    number: int = 0
    text: str = ""
    names: list[str] = []
    refers: list[str] = []
    shows: Shows | None = None

    @property
    def kinds(self) -> dict[str, str]:
        """Of what it refers to, each kind with the first of it."""
        found: dict[str, str] = {}
        for one in self.refers:
            kind, _, which = one.partition(":")
            found.setdefault(kind, which)
        return found


class Chip(NamedTuple):
    """Without `href` it can only be read."""

    kind: str  # count, event, deploy or mark: the glyph
    text: str
    href: str = ""


class Proof(NamedTuple):
    """Whose facts they are, when they were checked, and how long what they refer to is kept."""

    one: Whole
    clock: Clock
    checked_at: datetime
    keep: Keep

    def has(self, since: datetime, seconds: int) -> bool:
        return since >= self.clock.now - timedelta(seconds=seconds)


def chip(fact: Fact, proof: Proof) -> Chip:
    shows, kinds = fact.shows or Shows(), fact.kinds
    if "deploy" in kinds:
        return _deploy(fact, shows, proof)
    if "event" in kinds:
        return _event(kinds["event"], shows, proof)
    if "incident" in kinds:
        when = f"opened {proof.clock.absolute(shows.since)}" if shows.since else "this incident"
        return Chip("mark", when, f"/incidents/{kinds['incident']}" if kinds["incident"] else "")
    return _found(fact, shows, proof) if "search" in kinds else _counted(fact, shows, proof)


def _event(which: str, shows: Shows, proof: Proof) -> Chip:
    """In all of the incident's time, or as much as can be searched: its own moment is not known here."""
    until = time_of(proof.one.incident.until + 1)
    if not proof.has(until, proof.keep.events):
        return _gone("event", proof)
    text = f"{exact(shows.count)} of {exact(shows.of or 0)} events" if shows.count is not None else "event"
    first = time_of(proof.one.incident.first)
    return Chip("event", text, search_path(first, min(until, first + LONGEST), q=f"event_id:{which}"))


def _found(fact: Fact, shows: Shows, proof: Proof) -> Chip:
    """Asked again as it was asked: the same words, in the same minutes."""
    if shows.count is None:
        return Chip("count", "counted")
    one, which = proof.one, fact.kinds["search"]
    if not proof.has(one.opened_at, proof.keep.events):
        return _gone("event", proof)
    of = f" of {exact(shows.of)}" if shows.of is not None else ""
    text = f"{exact(shows.count)}{of} found{_span(shows, proof.clock)}"
    if not which:  # of older summaries it is not known what was asked
        return Chip("event", text)
    ask = incidents.own if which == "own" else incidents.others
    words, event_type = ask(one.rule, one.error_code, one.route)
    said = {"q": " ".join([words, *(field("route", name) for name in fact.names)]).strip()}
    said |= {"project": one.project_id, "env": one.environment, "type": event_type}
    return Chip("event", text, search_path(time_of(one.incident.first), one.opened_at + MINUTE, **said))


def _counted(fact: Fact, shows: Shows, proof: Proof) -> Chip:
    if shows.count is None:
        return Chip("count", "looked for, none found" if "deploys" in fact.kinds else "counted")
    text = f"{exact(shows.count)} counted"
    if not (shows.since and shows.until):
        return Chip("count", f"{text} since {proof.clock.minute(shows.since)}" if shows.since else text, "#plot")
    if not proof.has(shows.since, proof.keep.buckets):
        return _gone("count", proof)
    drawn = minute_of(shows.until) >= proof.one.first
    return Chip(
        "count", text + _span(shows, proof.clock), f"#{stretch_name(shows.since, shows.until)}" if drawn else ""
    )


def _deploy(fact: Fact, shows: Shows, proof: Proof) -> Chip:
    """Those of the last hour before it opened stand on its page, earlier ones in Search."""
    name, at = cut(fact.names[0], 24) if fact.names else "a deploy", shows.since
    if at is None:
        return Chip("deploy", name, "#changed")
    text = f"{name}, {proof.clock.second(at)}"
    if at >= proof.one.opened_at - HOUR:
        return Chip("deploy", text, "#changed")
    if not proof.has(at, proof.keep.events):
        return _gone("deploy", proof)
    return Chip("deploy", text, search_path(at, at + MINUTE, q=f"event_id:{fact.kinds['deploy']}"))


def _gone(kind: str, proof: Proof) -> Chip:
    return Chip(kind, f"no longer kept; verified {proof.clock.absolute(proof.checked_at)}")


def _span(shows: Shows, clock: Clock) -> str:
    return f", {clock.minute(shows.since)} to {clock.minute(shows.until)}" if shows.since and shows.until else ""


def stretch_name(since: datetime, until: datetime) -> str:
    return f"t={minute_of(since)}-{minute_of(until)}"
