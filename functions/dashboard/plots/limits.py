"""What an incident's plot compares with: the usual band of the hour before, and the threshold at every minute."""

from collections.abc import Sequence
from typing import NamedTuple

from common.detection.readings import Reading
from common.detection.rules import DROP_SIGNUPS, DROP_USUAL, HOUR, MINUTES, SPIKE, usual
from common.incidents.incident import Incident
from functions.dashboard.plots import paths
from functions.dashboard.plots.points import Placed
from functions.dashboard.plots.scale import Rise, decimal, percent
from functions.dashboard.words import alerts, exact, short, usually

NEAR = 13  # pixels: two numbers nearer than this would touch


class Band(NamedTuple):
    """Without y where the hour before is too long ago to be shown."""

    y: str
    height: str
    mean: str
    words: str


class Limit(NamedTuple):
    """The threshold: its path, its label at the left end, its number now in the gutter, its words in the key."""

    path: str
    label: tuple[str, str, str] | None  # place, height, words
    now: tuple[str, str] | None  # height, number
    words: str


def sums_before(incident: Incident, readings: Sequence[Reading]) -> tuple[int, int] | None:
    """The lowest and the highest sum of the hour before the window that opened it, if that hour was read."""
    last = incident.opened_at - MINUTES[incident.rule]
    sums = [one.observed for one in readings if last - HOUR < one.minute <= last]
    return (min(sums), max(sums)) if sums else None


def band(incident: Incident, sums: tuple[int, int] | None, scale: Rise, width: int) -> Band:
    mean = f"M0 {scale.y(usual(incident.rule, incident.hour))}H{width}"
    if sums is None:
        return Band("", "", mean, usually(usual(incident.rule, incident.hour)))
    low, high = sums
    height = max(float(scale.y(low)) - float(scale.y(high)), 1)
    words = f"usual, {exact(low)} to {exact(high)}" if high else "usual, none"
    return Band(scale.y(high), decimal(height), mean, words)


def limit(incident: Incident, placed: Placed, scale: Rise, width: int) -> Limit:
    path = paths.line(paths.steps([(x, one.threshold, False) for x, one in placed], scale))
    return Limit(path, _label(incident, placed, scale, width), _now(placed, scale), _words(incident, placed))


def _label(incident: Incident, placed: Placed, scale: Rise, width: int) -> tuple[str, str, str] | None:
    """Above the left end of the line."""
    for x, one in placed:
        if one.threshold is not None:
            return percent(x, width), scale.y(one.threshold), alerts(incident.rule, one.threshold)
    return None


def _now(placed: Placed, scale: Rise) -> tuple[str, str] | None:
    """It goes where the newest value stands, and where the threshold is above the plot."""
    for _, one in placed[-1:]:
        if one.threshold is not None and one.threshold <= scale.top:
            apart = abs(float(scale.y(one.threshold)) - float(scale.y(one.observed)))
            return (scale.y(one.threshold), short(one.threshold)) if apart >= NEAR else None
    return None


def _words(incident: Incident, placed: Placed) -> str:
    now = placed[-1][1].threshold if placed else None
    if incident.rule == SPIKE:
        return "the rule alerts from here" if now is None else f"the rule alerts from here, now {exact(now)}"
    where = f", where {DROP_USUAL} are usual" if now is None else ""
    return f"the rule alerts at {exact(DROP_SIGNUPS)} or fewer{where}"
