"""The plot of an incident: the number its rule looks at, minute by minute, with everything that decided.

Line, threshold, usual and sentence share one unit, the sum of a window; each minute on its own is a strip below.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from common.detection.readings import Reading
from common.detection.rules import MINUTES, SPIKE, threshold, usual
from common.incidents.clock import time_of
from common.incidents.incident import Incident
from functions.dashboard.plots import limits, markers, paths, points
from functions.dashboard.plots.limits import Band, Limit
from functions.dashboard.plots.markers import Marker
from functions.dashboard.plots.points import Line, Placed, Point, Range
from functions.dashboard.plots.scale import Rise, Tick, percent, rise, ticks
from functions.dashboard.times import Clock
from functions.dashboard.words import NOUNS, short

HEIGHT, STRIP = 208, 40
WORDS = 25.0  # percent of the width: less room has no words
END = 90.0  # percent: a tick further right stands where the label of the right end would


class Axes(NamedTuple):
    lines: list[tuple[str, str]]
    ticks: list[Tick]
    last: str  # the label at the right end; empty where the last tick is too near
    empty: list[tuple[str, str]]  # place and words of what is not counted


class Curve(NamedTuple):
    line: str
    held: str
    fill: str
    dot: tuple[str, str, str] | None  # place, height and number of the newest minute
    holds: bool  # there


class Strip(NamedTuple):
    bars: str
    top: str


class Plot(NamedTuple):
    label: str
    width: int  # in points
    axes: Axes
    band: Band
    curve: Curve
    limit: Limit
    markers: list[Marker]
    strip: Strip
    points: list[Point]
    table: list[Line]


def plot(
    incident: Incident, clock: Clock, shown: Range, readings: Sequence[Reading], deploys: Sequence[tuple[datetime, str]]
) -> Plot:
    """Of the readings from the first minute shown, or before, to the newest that is counted."""
    visible = [one for one in readings if one.minute >= max(shown.first, shown.begins or shown.first)]
    placed = points.worst(incident, visible, shown.first, shown.step)
    band = limits.sums_before(incident, readings)
    others = [*(band or ()), threshold(incident.rule, incident.hour) or 0, usual(incident.rule, incident.hour)]
    scale = rise(max([one.observed for _, one in placed] + others), HEIGHT)
    name = points.names(clock)
    alone = points.highest_alone(visible, shown.first, shown.step)
    return Plot(
        label=_label(incident, clock, shown),
        width=shown.width,
        axes=_axes(clock, shown, scale, placed),
        band=limits.band(incident, band, scale, shown.width),
        curve=_curve(incident, placed, scale, shown.width),
        limit=limits.limit(incident, placed, scale, shown.width),
        markers=markers.markers(incident, clock, shown, deploys),
        strip=Strip(paths.bars(alone, STRIP), short(max(alone.values(), default=0))),
        points=points.points(incident, name, placed),
        table=points.table(incident, name, shown, visible),
    )


def _curve(incident: Incident, placed: Placed, scale: Rise, width: int) -> Curve:
    steps = paths.steps([(x, one.observed, one.holds) for x, one in placed], scale)
    base = 0 if incident.rule == SPIKE else usual(incident.rule, incident.hour)
    dot = [(percent(x + 1, width), scale.y(one.observed), short(one.observed)) for x, one in placed[-1:]]
    return Curve(
        line=paths.line(steps),
        held=paths.held(steps),
        fill=paths.fill(steps, scale.y(base)),
        dot=dot[0] if dot else None,
        holds=any(one.holds for _, one in placed[-1:]),
    )


def _axes(clock: Clock, shown: Range, scale: Rise, placed: Placed) -> Axes:
    known = ticks(clock, shown.first, shown.end)
    far = not known or float(known[-1].at.rstrip("%")) < END
    counted = placed[-1][0] + 1 if placed else 0
    return Axes(scale.lines, known, clock.minute(time_of(shown.end)) if far else "", _empty(clock, shown, counted))


def _empty(clock: Clock, shown: Range, counted: int) -> list[tuple[str, str]]:
    """What is not counted is not zero, and says so where it has the room."""
    found = []
    if shown.begins is not None and shown.begins >= shown.end:
        return [("50.00%", "no longer kept")]
    before = ((shown.begins or shown.first) - shown.first) / shown.step
    if shown.begins is not None and 100 * before / shown.width > WORDS:
        found.append((percent(before / 2, shown.width), f"no events before {clock.minute(time_of(shown.begins))}"))
    if 100 * (shown.width - counted) / shown.width > WORDS:
        found.append((percent((counted + shown.width) / 2, shown.width), "not counted yet"))
    return found


def _label(incident: Incident, clock: Clock, shown: Range) -> str:
    first, end = clock.absolute(time_of(shown.first)), clock.absolute(time_of(shown.end))
    return f"{NOUNS[incident.rule].capitalize()}s in {MINUTES[incident.rule]} minutes, from {first} to {end}"
