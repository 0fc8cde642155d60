"""From an answer to what may be shown: evidence that holds, and sentences that name only what is ours."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from common.summaries.answer import Answer, Flawed
from common.summaries.evidence import check
from common.summaries.facts import Fact
from common.summaries.numbers import agree, numbers
from common.summaries.tokens import LONG_RUN, RUN, Runs, copied, foreign, runs, without

_SENTENCE = re.compile(r"(?<=[.!?…])\s+|\n+")
_CITATION = re.compile(r"\s*[\[(]F\d{1,3}(?:, ?F\d{1,3})*[\])]")


class Checked(msgspec.Struct, frozen=True):
    """`content` has the fields of an answer; `references` has the facts of each kept item of evidence."""

    content: dict[str, Any]
    references: list[list[int]]
    given: int
    left_out: dict[str, int]


def checked(answer: Answer, facts: Sequence[Fact], theirs: Runs) -> Checked:
    """Raises Flawed if nothing that was to prove it holds, or nothing else is left."""
    items = [check(text, facts, theirs) for text in answer.evidence]
    held = [item for item in items if not item.why]
    sieve = Sieve(facts, theirs)
    content = {
        "title": " ".join(sieve.keep("title", [answer.title], counts=True)),
        "impact": " ".join(sieve.keep("impact", sentences(answer.impact), counts=True)),
        "likely_causes": sieve.keep_whole("likely_causes", answer.likely_causes, counts=True, quotes=True),
        "evidence": [item.text for item in held],
        "next_steps": sieve.keep_whole("next_steps", answer.next_steps),
        "confidence": answer.confidence,
    }
    for item in items:
        if item.why:
            sieve.left_out[f"evidence: {item.why}"] += 1
    if not held:
        raise Flawed("no_evidence", f"none of its {len(items)} items of evidence holds: {_reasons(sieve.left_out)}")
    if not (content["impact"] or content["likely_causes"] or content["next_steps"]):
        raise Flawed("nothing_left", f"no sentence could be kept: {_reasons(sieve.left_out)}")
    return Checked(content, [list(item.cites) for item in held], len(items), dict(sieve.left_out))


class Sieve:
    """What may be said outside the evidence, and how much was left out for which reason."""

    def __init__(self, facts: Sequence[Fact], theirs: Runs) -> None:
        self.left_out: Counter[str] = Counter()
        self._theirs = theirs
        self._names = {name for fact in facts for name in fact.names}
        self._numbers = [number for fact in facts for number in numbers(without(fact.text, fact.names))]
        self._ours = runs(fact.text for fact in facts)

    def keep(self, field: str, said: Iterable[str], *, counts: bool = False, quotes: bool = False) -> list[str]:
        """Those that may stand. `counts`: their numbers must be ours. `quotes`: they may name what events say."""
        kept = []
        for one in said:
            if why := self._wrong(one, counts, quotes):
                self.left_out[f"{field}: {why}"] += 1
            else:
                kept.append(one)
        return kept

    def keep_whole(self, field: str, items: Iterable[str], *, counts: bool = False, quotes: bool = False) -> list[str]:
        """Item by item, each with the sentences of it that may stand."""
        kept = [" ".join(self.keep(field, sentences(item), counts=counts, quotes=quotes)) for item in items]
        return [item for item in kept if item]

    def _wrong(self, sentence: str, counts: bool, quotes: bool) -> str:
        said = _CITATION.sub("", sentence)
        if foreign(said, self._names):
            return "foreign token"
        if copied(said, self._theirs, self._ours, LONG_RUN if quotes else RUN):
            return "copied from an event"
        if counts and not all(agree(number, self._numbers) for number in numbers(without(said, self._names))):
            return "another number"
        return ""


def sentences(text: str) -> list[str]:
    """A line break ends one, too."""
    return [part.strip() for part in _SENTENCE.split(text) if part.strip()]


def _reasons(left_out: Counter[str]) -> str:
    return ", ".join(f"{reason} ({count})" for reason, count in sorted(left_out.items()))[:300]
