"""Moments on the plot of an incident: deploys, its opening, its resolution, and their names in the gutter."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from common.incidents.clock import EPOCH, MINUTE, time_of
from common.incidents.incident import Incident
from functions.dashboard.plots.gutter import LONGEST, Taken, is_free, stretch
from functions.dashboard.plots.points import Range
from functions.dashboard.plots.scale import decimal, percent
from functions.dashboard.times import Clock
from functions.dashboard.words import cut

NAMED = 3  # with more deploys the one nearest to the opening has a name
RIGHT_END = 84.0  # percent: further right there is no room for a time


class Marker(NamedTuple):
    """A line, and its name, if there is room: `more` of it is left out on phones."""

    kind: str  # deploy, opened or resolved
    x: str  # in points
    at: str  # in percent
    name: str = ""
    more: str = ""
    left: bool = False  # of its line


def markers(incident: Incident, clock: Clock, shown: Range, deploys: Sequence[tuple[datetime, str]]) -> list[Marker]:
    """The opening keeps its name; deploys get theirs by nearness to it, while there is room."""
    width = shown.width
    opened = _at(time_of(incident.opened_at), shown)
    marks, taken = _opening(incident, clock, opened, width)
    if incident.resolved_at is not None and incident.status == "resolved":
        marks += _resolution(incident, clock, shown, taken)
    inside = [(x, at, name) for at, name in deploys if 0 <= (x := _at(at, shown)) <= width]
    near = sorted(inside, key=lambda one: abs(one[0] - opened))
    for n, (x, at, name) in enumerate(near):
        may = n == 0 or len(near) <= NAMED
        marks.append(_deploy(x, width, cut(name, LONGEST), f" deployed {clock.minute(at)}", taken) if may else
                     Marker("deploy", decimal(x), percent(x, width)))  # fmt: skip
    return marks


def _opening(incident: Incident, clock: Clock, x: float, width: int) -> tuple[list[Marker], list[Taken]]:
    if not 0 <= x <= width:
        return [], []
    at = 100 * x / width
    more = "" if at > RIGHT_END else f" {clock.minute(time_of(incident.opened_at))}"
    name = Marker("opened", decimal(x), percent(x, width), "opened", more)
    return [name], [stretch(at, "opened", more, left=False)]


def _resolution(incident: Incident, clock: Clock, shown: Range, taken: list[Taken]) -> list[Marker]:
    assert incident.resolved_at is not None
    x = _at(time_of(incident.resolved_at), shown)
    width = shown.width
    if not 0 <= x <= width:
        return []
    at, more = 100 * x / width, f" {clock.minute(time_of(incident.resolved_at))}"
    place = stretch(at, "resolved", more, left=True)
    if not is_free(place, taken):
        return [Marker("resolved", decimal(x), percent(x, width))]
    taken.append(place)
    return [Marker("resolved", decimal(x), percent(x, width), "resolved", more, left=True)]


def _deploy(x: float, width: int, name: str, more: str, taken: list[Taken]) -> Marker:
    """To the left of its line; with its time if that fits, without a name if nothing does."""
    at = 100 * x / width
    for rest in (more, ""):
        place = stretch(at, name, rest, left=True)
        if name and is_free(place, taken):
            taken.append(place)
            return Marker("deploy", decimal(x), percent(x, width), name, rest, left=True)
    return Marker("deploy", decimal(x), percent(x, width))


def _at(time: datetime, shown: Range) -> float:
    return ((time - EPOCH) / MINUTE - shown.first) / shown.step
