"""A summary as its page shows it: what was verified, each with the fact that proves it; what was left out, and why."""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple
from urllib.parse import urlencode

import msgspec

from common.clients.postgres.outputs import PLAIN, Shown
from common.incidents.clock import minute_of
from common.summaries.facts import Shows
from functions.dashboard.times import Clock
from functions.dashboard.words import cut, exact

_CITED = re.compile(r"\s*[\[(]F\d{1,3}(?:\s*(?:,|and|&)\s*F\d{1,3})*[\])]")
REASONS = {
    "uncited": "cited nothing that could be checked",
    "no such fact": "cited something that does not exist",
    "foreign token": "named something no fact has",
    "copied from an event": "repeated the words of an event",
    "another number": "gave a number the facts do not have",
    "another unit": "gave a number its unit does not have",
    "denies the fact": "denied what the facts say",
    "nothing to check": "said nothing that can be checked",
}


class Chip(NamedTuple):
    """What proves a statement, in a few characters; without `href` it can only be read."""

    kind: str  # count, event, deploy or mark: the glyph
    text: str
    href: str = ""


class Item(NamedTuple):
    text: str
    chips: list[Chip]


class Stretch(NamedTuple):
    """Minutes a chip leads to: its name in the address, tinted on the plot."""

    name: str
    first: int
    end: int


class Summary(NamedTuple):
    plain: bool
    model: str
    written_at: datetime
    impact: str
    causes: list[str]
    steps: list[str]
    proofs: list[Item]
    given: int
    left_out: list[str]
    left_out_count: int
    confidence: float
    facts: int
    stretches: list[Stretch]


class Fact(msgspec.Struct, frozen=True):
    number: int = 0
    text: str = ""
    names: list[str] = []
    refers: list[str] = []
    shows: Shows | None = None


def summary_of(shown: Shown, clock: Clock) -> Summary:
    facts = {fact.number: fact for fact in (msgspec.convert(one, Fact, strict=False) for one in shown.facts)}
    content = shown.content
    items = [
        Item(
            _without_marks(text), [chip for number in cited if number in facts for chip in chips(facts[number], clock)]
        )
        for text, cited in zip(_texts(content, "evidence"), shown.references, strict=False)
    ]
    return Summary(
        plain=shown.model == PLAIN,
        model=cut(shown.model, 60),
        written_at=shown.created_at,
        impact=_without_marks(str(content.get("impact", ""))),
        causes=[_without_marks(text) for text in _texts(content, "likely_causes")],
        steps=[_without_marks(text) for text in _texts(content, "next_steps")],
        proofs=items,
        given=shown.evidence_given,
        left_out=left_out(shown.left_out),
        left_out_count=sum(shown.left_out.values()),
        confidence=float(content.get("confidence", 0)),
        facts=len(facts),
        stretches=_stretches(
            [fact for number, fact in facts.items() if any(number in one for one in shown.references)]
        ),
    )


def chips(fact: Fact, clock: Clock) -> list[Chip]:
    """Of one fact usually one; of events the first and the newest that prove it."""
    shows, refers = fact.shows or Shows(), [one.partition(":") for one in fact.refers]
    kinds = {kind for kind, _, _ in refers}
    if "deploy" in kinds:
        return [_deploy(fact, shows, clock)]
    if "event" in kinds:
        count = f"{exact(shows.count)} of {exact(shows.of or 0)} events" if shows.count is not None else "event"
        [first, *_] = [_id for kind, _, _id in refers if kind == "event"]
        return [Chip("event", count, _search(q=f"event_id:{first}"))]
    if "incident" in kinds:
        found = [one for kind, _, one in refers if kind == "incident" and one]
        when = f"opened {clock.absolute(shows.since)}" if shows.since else "this incident"
        return [Chip("mark", when, f"/incidents/{found[0]}" if found else "")]
    return [_count(fact, shows, clock, in_search="search" in kinds)]


def _count(fact: Fact, shows: Shows, clock: Clock, *, in_search: bool) -> Chip:
    if shows.count is None:
        return Chip("count", "looked for, none found" if "deploys" in fact.refers else "counted")
    text = f"{exact(shows.count)} {'found' if in_search else 'counted'}"
    if shows.of is not None:
        text = f"{exact(shows.count)} of {exact(shows.of)} found"
    if shows.since and shows.until:
        text += f", {clock.minute(shows.since)} to {clock.minute(shows.until)}"
        place = f"#{_name(shows.since, shows.until)}"
        span = {"from": _iso(shows.since), "to": _iso(shows.until)}
        return Chip("event" if in_search else "count", text, _search(**span) if in_search else place)
    return Chip("count", f"{text} since {clock.minute(shows.since)}" if shows.since else text, "#plot")


def _deploy(fact: Fact, shows: Shows, clock: Clock) -> Chip:
    name = cut(fact.names[0], 24) if fact.names else "a deploy"
    at = f", {clock.second(shows.since)}" if shows.since else ""
    return Chip("deploy", f"{name}{at}", "#changed")


def left_out(counts: Mapping[str, int]) -> list[str]:
    """By reason, never by text: 2 pieces of evidence cited nothing that could be checked."""
    found = []
    for key, count in sorted(counts.items()):
        field, _, reason = key.partition(": ")
        noun = "piece of evidence" if field == "evidence" else f"sentence of {_FIELDS.get(field, 'the answer')}"
        nouns = noun if count == 1 else noun.replace("piece", "pieces").replace("sentence", "sentences")
        found.append(f"{exact(count)} {nouns} {REASONS.get(reason, 'could not be verified')}.")
    return found


_FIELDS = {"title": "the title", "impact": "the impact", "likely_causes": "the causes", "next_steps": "the next steps"}


def _texts(content: Mapping[str, Any], field: str) -> list[str]:
    return [str(one) for one in content.get(field, ())]


def _without_marks(text: str) -> str:
    """The facts a sentence cites stand beside it as chips."""
    return _CITED.sub("", text).strip()


def _stretches(facts: list[Fact]) -> list[Stretch]:
    found = {}
    for fact in facts:
        shows = fact.shows
        if shows and shows.since and shows.until and shows.count is not None and "search" not in fact.refers:
            name = _name(shows.since, shows.until)
            found[name] = Stretch(name, minute_of(shows.since), minute_of(shows.until) + 1)
    return list(found.values())


def _name(since: datetime, until: datetime) -> str:
    return f"t={minute_of(since)}-{minute_of(until)}"


def _search(**said: str) -> str:
    return "/search?" + urlencode(said)


def _iso(time: datetime) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ")
