"""The gutter above a plot, where names of moments stand: each has its stretch, and none may touch another."""

from collections.abc import Sequence
from typing import NamedTuple

LETTER, NARROW_LETTER = 1.15, 2.6  # percent of the width a letter takes, on a wide screen and on a phone
LONGEST = 16


class Taken(NamedTuple):
    """In percent of the width."""

    start: float
    end: float


def stretch(at: float, name: str, more: str = "", *, left: bool) -> Taken:
    """Phones leave out what is `more`; the name alone is as wide there as both are on a screen, or wider."""
    wide = max(len(name + more) * LETTER, len(name) * NARROW_LETTER)
    return Taken(at - wide, at) if left else Taken(at, at + wide)


def is_free(place: Taken, taken: Sequence[Taken], end: float = 112.0) -> bool:
    """The right end has a margin beyond it."""
    return place.start >= 0 and place.end <= end and all(place.end <= t.start or place.start >= t.end for t in taken)
