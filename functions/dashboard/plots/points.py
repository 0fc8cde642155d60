"""The points of an incident's plot: one a minute, or the worst of several, each with the sentence that reads it."""

from collections.abc import Sequence
from typing import NamedTuple

from common.detection.readings import Reading
from common.detection.rules import MINUTES, SPIKE
from common.incidents.clock import time_of
from common.incidents.incident import Incident
from functions.dashboard.times import Clock
from functions.dashboard.words import alerts, exact, in_window

MOST = 180
STEPS = (1, 5, 10, 15, 30, 60, 120, 240)
ROWS = 60  # of the table at most: a page of more would grow heavy

Placed = list[tuple[int, Reading]]


class Range(NamedTuple):
    """The minutes from `first` up to `end` are shown; `begins` is the first of the series, if that lies within."""

    first: int
    end: int
    begins: int | None = None

    @property
    def step(self) -> int:
        """How many minutes a point stands for: at most 180 points."""
        minutes = self.end - self.first
        return next((step for step in STEPS if -(-minutes // step) <= MOST), -(-minutes // MOST))

    @property
    def width(self) -> int:
        """In points."""
        return -(-(self.end - self.first) // self.step)


class Point(NamedTuple):
    """What can be read with a pointer, by keyboard, or in the table."""

    x: int
    sentence: str
    span: str
    observed: str
    threshold: str
    alone: str


def worst(incident: Incident, readings: Sequence[Reading], first: int, step: int) -> Placed:
    """One reading a point: the highest of a spike, the lowest of a drop."""
    worse = max if incident.rule == SPIKE else min
    found: dict[int, Reading] = {}
    for one in readings:
        place = (one.minute - first) // step
        found[place] = worse(found.get(place, one), one, key=lambda reading: reading.observed)
    return sorted(found.items())


def highest_alone(readings: Sequence[Reading], first: int, step: int) -> dict[int, int]:
    """The highest single minute of each point."""
    found: dict[int, int] = {}
    for one in readings:
        place = (one.minute - first) // step
        found[place] = max(found.get(place, 0), one.alone)
    return found


def points(incident: Incident, clock: Clock, placed: Placed, alone: dict[int, int]) -> list[Point]:
    return [_point(incident, clock, x, one, alone[x]) for x, one in placed]


def rows(incident: Incident, clock: Clock, shown: Range, readings: Sequence[Reading]) -> list[Point]:
    """Those of the table: perhaps fewer, then each the worst of several."""
    wide = shown.step * max(1, -(-len(readings) // (shown.step * ROWS)))
    alone = highest_alone(readings, shown.first, wide)
    return points(incident, clock, worst(incident, readings, shown.first, wide), alone)


def _point(incident: Incident, clock: Clock, x: int, one: Reading, alone: int) -> Point:
    first = one.minute - MINUTES[incident.rule] + 1
    span = f"{clock.minute(time_of(first))} to {clock.minute(time_of(one.minute))}"
    limit = "" if one.threshold is None else f", {alerts(incident.rule, one.threshold)}"
    sentence = f"{span}: {in_window(incident.rule, one.observed)}{limit}"
    alert = "" if one.threshold is None else exact(one.threshold)
    return Point(x, sentence, span, exact(one.observed), alert, exact(alone))
