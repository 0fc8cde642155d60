"""The points of an incident's plot: one a minute, or the worst of several, each with the sentence that reads it."""

from collections.abc import Callable, Sequence
from functools import cache
from operator import gt, lt
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
Name = Callable[[int], str]


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
    """What can be read with a pointer, or by keyboard."""

    x: int
    sentence: str


class Line(NamedTuple):
    """What can be read in the table."""

    span: str
    observed: str
    threshold: str
    alone: str


def worst(incident: Incident, readings: Sequence[Reading], first: int, step: int) -> Placed:
    """One reading a point: the highest of a spike, the lowest of a drop."""
    worse = gt if incident.rule == SPIKE else lt
    found: dict[int, Reading] = {}
    for one in readings:
        place = (one.minute - first) // step
        if place not in found or worse(one.observed, found[place].observed):
            found[place] = one
    return sorted(found.items())


def highest_alone(readings: Sequence[Reading], first: int, step: int) -> dict[int, int]:
    """The highest single minute of each point."""
    found: dict[int, int] = {}
    for one in readings:
        place = (one.minute - first) // step
        found[place] = max(found.get(place, 0), one.alone)
    return found


def names(clock: Clock) -> Name:
    """Each minute is in many spans, and named once."""
    return cache(lambda minute: clock.minute(time_of(minute)))


def points(incident: Incident, name: Name, placed: Placed) -> list[Point]:
    return [Point(x, f"{_span(incident, name, one)}: {_said(incident, one)}") for x, one in placed]


def table(incident: Incident, name: Name, shown: Range, readings: Sequence[Reading]) -> list[Line]:
    """Perhaps fewer than the points, then each the worst of several."""
    wide = shown.step * max(1, -(-len(readings) // (shown.step * ROWS)))
    alone = highest_alone(readings, shown.first, wide)
    return [
        Line(
            span=_span(incident, name, one),
            observed=exact(one.observed),
            threshold="" if one.threshold is None else exact(one.threshold),
            alone=exact(alone[place]),
        )
        for place, one in worst(incident, readings, shown.first, wide)
    ]


def _span(incident: Incident, name: Name, one: Reading) -> str:
    return f"{name(one.minute - MINUTES[incident.rule] + 1)} to {name(one.minute)}"


def _said(incident: Incident, one: Reading) -> str:
    said = in_window(incident.rule, one.observed)
    return said if one.threshold is None else f"{said}, {alerts(incident.rule, one.threshold)}"
