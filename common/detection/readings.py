"""What a rule sees minute by minute: for whoever draws it, or says whether it holds now."""

from collections.abc import Mapping
from itertools import accumulate, repeat
from typing import NamedTuple

from common.detection.rules import HOUR, MINUTES, Rule, reaches, threshold


class Reading(NamedTuple):
    """The window that ends in this minute: its sum, the sum that would alert, and whether the rule holds."""

    minute: int
    alone: int  # the count of this minute, without the others
    observed: int
    threshold: int | None
    holds: bool


class Own(NamedTuple):
    """The hour an incident opened with, and the minutes in which it may be measured by it."""

    hour: int
    first: int
    last: int


def readings(rule: Rule, counts: Mapping[int, int], first: int, last: int, own: Own | None = None) -> list[Reading]:
    """Of every minute from the first to the last. The counts must reach back a window and an hour before the first.

    The engine asks a spike only in minutes that have an event; here its sum says it until the window has passed.
    """
    span = MINUTES[rule]
    start = first - span - HOUR + 1
    sums = list(accumulate(map(counts.get, range(start, last + 1), repeat(0)), initial=0))
    known: dict[tuple[int, int | None], int | None] = {}
    found = []
    for minute in range(first, last + 1):
        end = minute - start + 1
        before = sums[end - span]
        hours = before - sums[end - span - HOUR], own.hour if own and own.first <= minute <= own.last else None
        if hours not in known:
            known[hours] = threshold(rule, *hours)
        observed, limit = sums[end] - before, known[hours]
        found.append(Reading(minute, sums[end] - sums[end - 1], observed, limit, reaches(rule, observed, limit)))
    return found
