"""A summary as its page shows it: what was verified, each with the fact that proves it; what was left out, and why."""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

import msgspec

from common.clients.postgres.outputs import PLAIN, Shown
from common.clients.postgres.whole import Whole
from common.incidents.clock import minute_of
from common.settings import Keep
from functions.dashboard.chips import Chip, Fact, Proof, chip, stretch_name
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
    checked: str
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


def summary_of(shown: Shown, one: Whole, clock: Clock, keep: Keep) -> Summary:
    proof = Proof(one, clock, shown.created_at, keep)
    facts = {fact.number: fact for fact in (msgspec.convert(kept, Fact, strict=False) for kept in shown.facts)}
    content = shown.content
    items = [
        Item(_without_marks(text), [chip(facts[number], proof) for number in cited if number in facts])
        for text, cited in zip(_texts(content, "evidence"), shown.references, strict=False)
    ]
    return Summary(
        plain=shown.model == PLAIN,
        model=cut(shown.model, 60),
        written_at=shown.created_at,
        checked=f"Checked {clock.day(shown.created_at)} {clock.second(shown.created_at)}",
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
            [fact for number, fact in facts.items() if any(number in cited for cited in shown.references)]
        ),
    )


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
    """Of what was counted; what was searched for leads to Search."""
    found = {}
    for fact in facts:
        shows = fact.shows
        if shows and shows.since and shows.until and shows.count is not None and "search" not in fact.kinds:
            name = stretch_name(shows.since, shows.until)
            found[name] = Stretch(name, minute_of(shows.since), minute_of(shows.until) + 1)
    return list(found.values())
