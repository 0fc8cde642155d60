"""Evidence is re-checked by code: what an item cites must exist, and what it says must be what that fact says."""

import re
from collections.abc import Sequence
from typing import NamedTuple

from common.summaries.facts import Fact
from common.summaries.numbers import agree, numbers
from common.summaries.tokens import Runs, copied, foreign, named, runs, without, words

_CITED = re.compile(r"[\[(]\s*(F\d{1,3}(?:\s*(?:,|and|&)\s*F\d{1,3})*)\s*[\])]")
_DENIES = frozenset(
    {"no", "not", "never", "none", "nothing", "without", "neither", "nor", "cannot", "isn", "wasn", "t"}
)


class Item(NamedTuple):
    """One item of evidence, and the facts it rests on; `why` says why it does not hold, empty if it does."""

    text: str
    cites: tuple[int, ...]
    why: str = ""


def check(text: str, known: Sequence[Fact], theirs: Runs) -> Item:
    """The item as it may be kept, or the reason why not."""
    cites = cited(text)
    return Item(text, cites, _wrong(text, cites, {fact.number: fact for fact in known}, theirs))


def cited(text: str) -> tuple[int, ...]:
    """[F1], [F1, F2] or (F3): the numbers, each once."""
    found = [int(number) for group in _CITED.findall(text) for number in re.findall(r"\d+", group)]
    return tuple(dict.fromkeys(found))


def _wrong(text: str, cites: tuple[int, ...], known: dict[int, Fact], theirs: Runs) -> str:
    if not cites:
        return "uncited"
    if any(number not in known for number in cites):
        return "no such fact"
    facts = [known[number] for number in cites]
    said = _CITED.sub(" ", text)
    names = {name for fact in facts for name in fact.names}
    if foreign(said, names):
        return "foreign token"
    if copied(said, theirs, runs(fact.text for fact in facts)):
        return "copied from an event"
    return _misquotes(said, facts, names)


def _misquotes(said: str, facts: list[Fact], names: set[str]) -> str:
    """Numbers, units and denials must be the cited facts'; a sentence with nothing to check proves nothing."""
    theirs = [number for fact in facts for number in numbers(without(fact.text, fact.names))]
    mine = numbers(without(said, names))
    for number in mine:
        if not any(number.value == known.value for known in theirs):
            return "another number"
        if not agree(number, theirs):
            return "another unit"
    if _denies(said) and not any(_denies(fact.text) for fact in facts):
        return "denies the fact"
    if not mine and not named(said, names) and not _denies(said):
        return "nothing to check"
    return ""


def _denies(text: str) -> bool:
    return not _DENIES.isdisjoint(words(text))
