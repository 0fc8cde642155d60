"""The numbers a sentence says, with their units, and whether they are a fact's numbers."""

import re
from collections.abc import Iterable
from typing import NamedTuple

from common.summaries.tokens import TIME, plain


class Number(NamedTuple):
    """As written out, 1,200 and 1.2k being 1200; the unit only where it is one we know."""

    value: str
    unit: str = ""


_SMALL = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
    "seventeen eighteen nineteen twenty"
)
_OTHER = (
    "thirty=30 forty=40 fifty=50 sixty=60 seventy=70 eighty=80 ninety=90 hundred=100 hundreds=100 thousand=1000 "
    "thousands=1000 million=1000000 dozen=12 dozens=12 once=1 twice=2 double=2 doubled=2 triple=3 tripled=3 "
    "quadruple=4 quadrupled=4 half=0.5 halved=0.5 third=0.33 quarter=0.25"
)
WORDS = {word: str(value) for value, word in enumerate(_SMALL.split())}
WORDS |= {word: value for word, _, value in (pair.partition("=") for pair in _OTHER.split())}
UNITS = {
    spelled: unit
    for unit, spellings in {
        "error": "error errors failure failures",
        "signup": "signup signups sign-ups",
        "event": "event events",
        "second": "s sec second seconds",
        "minute": "m min mins minute minutes",
        "hour": "h hour hours",
        "day": "d day days",
        "times": "x times fold",
        "percent": "% percent",
        "deploy": "deploy deploys deployment deployments",
        "incident": "incident incidents",
    }.items()
    for spelled in spellings.split()
}
_DIGITS = r"(?<![\w.,])\d+(?:,\d{3})*(?:\.\d+)?"
_NUMBER = re.compile(rf"({TIME})|({_DIGITS})([^\W\d_]{{1,7}}\b|%)?|([^\W\d_]+)")
_NEXT = re.compile(r"[\s-]*(?:[^\W\d_-]+[\s-]+)?([^\W\d_]+|%)")


def numbers(text: str) -> list[Number]:
    """Digits, times of day, dates and number words, in their order."""
    found: list[Number] = []
    for match in _NUMBER.finditer(plain(text)):
        time, digits, suffix, word = match.groups()
        if time:
            found += [Number(part.removesuffix("Z")) for part in re.split(r"[T ]", time)]
        elif digits:
            found.append(_digits(digits, suffix or "", match))
        elif word.lower() in WORDS:
            found.append(Number(WORDS[word.lower()], _unit_after(match)))
    return found


def _digits(digits: str, suffix: str, match: re.Match[str]) -> Number:
    value = float(digits.replace(",", "")) * {"k": 1e3, "M": 1e6}.get(suffix, 1)
    return Number(f"{value:.10g}", UNITS.get(suffix.lower(), "") if suffix else _unit_after(match))


def _unit_after(match: re.Match[str]) -> str:
    """Of `30 errors` and of `30 more errors`."""
    rest = match.string[match.end() :]
    near, further = re.match(r"[\s-]*([^\W\d_]+|%)", rest), _NEXT.match(rest)
    for found in (near, further):
        if found and (unit := UNITS.get(found[1].lower())):
            return unit
    return ""


def agree(said: Number, known: Iterable[Number]) -> bool:
    """One of the known has this value, and not only with another unit."""
    units = [number.unit for number in known if number.value == said.value]
    return bool(units) and (not said.unit or said.unit in units or "" in units)
