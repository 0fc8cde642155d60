"""Scales: where numbers and minutes stand on a plot, which lines and ticks it has."""

from collections.abc import Iterator
from itertools import count
from typing import NamedTuple

from common.incidents.clock import time_of
from functions.dashboard.times import Clock
from functions.dashboard.words import short

HEADROOM = 1.06
INTERVALS = 5  # at most, so at most six lines
# for a range of so many minutes at most, a tick each so many
TICKS = ((120, 15), (240, 30), (720, 60), (1_440, 180), (2_880, 360), (4_320, 720))
QUARTER = 15
EDGE = 4.0  # percent: a label nearer to an end than this would stand beside the plot


class Tick(NamedTuple):
    """A label at a place in percent of the width; every second one goes on phones."""

    at: str
    label: str
    date: str = ""
    optional: bool = False


class Rise(NamedTuple):
    """From zero to the top, which is a multiple of the step."""

    step: int
    top: int
    height: int

    def y(self, value: float) -> str:
        """With one decimal; what is over the top is at the top."""
        return decimal(self.height * (1 - min(value, self.top) / self.top))

    @property
    def lines(self) -> list[tuple[str, str]]:
        return [(self.y(value), short(value)) for value in range(0, self.top + 1, self.step)]


def rise(maximum: float, height: int) -> Rise:
    """Three to six lines at 1, 2, 5, 10, 20, 25, 50 …; the maximum stays well below the top."""
    wanted = max(maximum, 1) * HEADROOM
    step = next(step for step in _steps() if step * INTERVALS >= wanted)
    return Rise(step, max(step * -int(-wanted // step), 2 * step), height)


def _steps() -> Iterator[int]:
    yield from (1, 2, 5)
    for power in count(1):
        yield from (10**power, 2 * 10**power, 25 * 10 ** (power - 1), 5 * 10**power)


def decimal(number: float) -> str:
    """One decimal at most: 12, 12.5."""
    return f"{number:.1f}".removesuffix(".0")


def percent(part: float, whole: float) -> str:
    return f"{100 * part / whole:.2f}%"


def ticks(clock: Clock, first: int, end: int) -> list[Tick]:
    """At round times of the reader's zone, named HH:MM, with the date under the first and at midnight.

    Across a change of the clock each label says its offset.
    """
    width = end - first
    every = next((step for longest, step in TICKS if width <= longest), 1_440)
    offsets = {clock.offset(time_of(minute)) for minute in (first, end)}
    found: list[Tick] = []
    for minute in range(first + -first % QUARTER, end + 1, QUARTER):  # zones differ by quarters of an hour
        local = clock.local(time_of(minute))
        if (local.hour * 60 + local.minute) % every or not EDGE <= 100 * (minute - first) / width <= 100 - EDGE:
            continue
        date = clock.day(time_of(minute)) if not found or local.hour == local.minute == 0 else ""
        label = f"{local:%H:%M}" + (f" {clock.offset(time_of(minute))}" if len(offsets) > 1 else "")
        found.append(Tick(percent(minute - first, width), label, date, optional=len(found) % 2 == 1))
    return found
