"""The two rules: what is unusual. A rule is asked about one window and answers with the numbers that decided.

Everything is an integer: a usual is a share of the hour before its window, and is compared through that hour's sum.
"""

from typing import Literal

import msgspec

Rule = Literal["error_spike", "signup_drop"]

SPIKE: Rule = "error_spike"
DROP: Rule = "signup_drop"
MINUTES: dict[Rule, int] = {SPIKE: 5, DROP: 15}
HOUR = 60

SPIKE_ERRORS, SPIKE_TIMES = 30, 3
CRITICAL_ERRORS, CRITICAL_TIMES = 300, 10
DROP_SIGNUPS, DROP_USUAL = 10, 40


class Window(msgspec.Struct, frozen=True, gc=False):
    """The minutes up to `end`: their sum, the sum of the hour before them, and the hour of an incident in its day."""

    end: int
    observed: int
    hour: int
    own: int | None = None


class Finding(msgspec.Struct, frozen=True, gc=False):
    """A rule holds in minute `end`: with this sum, where the hour before had that one."""

    rule: Rule
    end: int
    observed: int
    hour: int
    critical: bool

    @property
    def first(self) -> int:
        """The first minute of the window."""
        return self.end - MINUTES[self.rule] + 1


def usual(rule: Rule, hour: int) -> float:
    """What a window of this rule has in an hour like that: a twelfth of it, or a quarter."""
    return hour * MINUTES[rule] / HOUR


def spike_from(hour: int) -> int:
    """The smallest sum of five minutes that is a spike: 30, and three times the usual, which is at least one."""
    needed = -(-SPIKE_TIMES * MINUTES[SPIKE] * hour // HOUR)  # rounded up; three times one is less than 30 anyway
    return max(SPIKE_ERRORS, needed)


def critical_from(hour: int) -> int:
    """The smallest sum of five minutes that is critical: 300, and ten times the usual, which is at least one."""
    needed = -(-CRITICAL_TIMES * MINUTES[SPIKE] * hour // HOUR)
    return max(CRITICAL_ERRORS, needed)


def lesser(hour: int, own: int | None) -> int:
    return hour if own is None else min(hour, own)


def threshold(rule: Rule, hour: int, own: int | None = None) -> int | None:
    """The sum from which on a spike holds, or down to which a drop does; None where the usual is too low for a drop."""
    if rule == SPIKE:
        return spike_from(lesser(hour, own))
    return DROP_SIGNUPS if drop_is_possible(max(hour, own or 0)) else None


def drop_is_possible(hour: int) -> bool:
    """The usual is at least forty."""
    return hour * MINUTES[DROP] >= DROP_USUAL * HOUR


def reaches(rule: Rule, observed: int, limit: int | None) -> bool:
    """A sum is at its threshold, or beyond."""
    if limit is None:
        return False
    return observed >= limit if rule == SPIKE else observed <= limit


def error_spike(window: Window) -> Finding | None:
    """At least 30 errors in five minutes, and three times the usual five minutes of the hour before.

    In the day of an incident it is enough to be three times the usual that incident opened with. Critical: at least
    300, and ten times the smaller of the two.
    """
    hour = lesser(window.hour, window.own)
    if window.observed < spike_from(hour):
        return None
    return Finding(SPIKE, window.end, window.observed, window.hour, window.observed >= critical_from(hour))


def signup_drop(window: Window) -> Finding | None:
    """At most ten signups in fifteen minutes, where the usual of the hour before is at least forty.

    In the day of an incident it is enough that the usual it opened with was. Critical: none at all.
    """
    hour = max(window.hour, window.own or 0)
    if window.observed > DROP_SIGNUPS or not drop_is_possible(hour):
        return None
    return Finding(DROP, window.end, window.observed, window.hour, window.observed == 0)
