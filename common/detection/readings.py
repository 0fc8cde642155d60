"""What a rule sees minute by minute: for whoever draws it, or says whether it holds now."""

from collections.abc import Callable
from typing import NamedTuple

from common.detection.rules import HOUR, MINUTES, Rule, Window, asked, threshold
from common.detection.series import Counts

Own = Callable[[int], int | None]  # the hour of an incident in its day, for a minute


class Reading(NamedTuple):
    """The window that ends in this minute: its sum, the sum that would alert, and whether the rule holds."""

    minute: int
    alone: int  # the count of this minute, without the others
    observed: int
    threshold: int | None
    holds: bool


def readings(rule: Rule, counts: Counts, first: int, last: int, own: Own) -> list[Reading]:
    """Of every minute from the first to the last. The counts must reach back a window and an hour before the first.

    The engine asks a spike only in minutes that have an event; here its sum says it until the window has passed.
    """
    return [_reading(rule, counts, minute, own(minute)) for minute in range(first, last + 1)]


def rows_before(rule: Rule) -> int:
    """How many minutes before the first reading must be known."""
    return HOUR + MINUTES[rule] - 1


def _reading(rule: Rule, counts: Counts, minute: int, own: int | None) -> Reading:
    before = minute - MINUTES[rule]
    observed, hour = counts.total(before + 1, minute), counts.total(before - HOUR + 1, before)
    finding = asked(rule, Window(minute, observed, hour, own))
    return Reading(minute, counts.at(minute), observed, threshold(rule, hour, own), finding is not None)
