"""A day on the Overview: 96 bars of fifteen minutes, yesterday as a line by the hour, deploys behind the bars."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from statistics import median
from typing import NamedTuple

from common.incidents.clock import EPOCH, MINUTE
from functions.dashboard.plots.gutter import LONGEST, Taken, is_free, stretch
from functions.dashboard.plots.scale import Rise, Tick, decimal, percent, rise, ticks
from functions.dashboard.times import Clock
from functions.dashboard.words import counted, cut, exact

BIN, BINS, HEIGHT = 15, 96, 132
HOUR = 4  # bars
NAMED = 3  # deploys; more are lines only
CHARACTER = 2.4  # bars, on the narrowest phone
BESIDE = 3  # bars between a number and its own, at most
APART = 0.6  # bars between a number and the line it had to give way to
ANCHORS = {"m": 0.5, "s": 0.0, "e": 1.0}  # which part of a number stands at its place: middle, start, end
WORTH_A_NUMBER = 3  # times the median


class Day(NamedTuple):
    """What the template draws; `bars` by the class of their colour."""

    lines: list[tuple[str, str]]
    ticks: list[Tick]
    bars: list[tuple[str, str]]
    yesterday: str
    deploys: list[tuple[str, str]]  # place in bars, path
    names: list[tuple[str, str, bool]]  # place in percent, release, whether it stands to the left of its line
    top: tuple[str, str, str, str] | None  # place, height, number, and which of its ends stands there
    points: list[str]  # of each bar the sentence that reads it
    table: list[tuple[str, list[str]]]
    label: str


def day(
    noun: str,
    clock: Clock,
    first: int,
    today: Sequence[int],
    yesterday: Sequence[int],
    open_in: Mapping[int, str],
    deploys: Sequence[tuple[datetime, str]],
) -> Day:
    """`open_in` names the severity of an incident that was open in a bar; bars begin at the minute `first`."""
    scale = rise(max(*today, *_hourly(yesterday)), HEIGHT)
    placed = [((at - EPOCH) / MINUTE - first) / BIN for at, _ in deploys]
    return Day(
        lines=scale.lines,
        ticks=ticks(clock, first, first + BIN * BINS),
        bars=_bars(today, open_in, scale),
        yesterday=_steps(_hourly(yesterday), scale),
        deploys=[(decimal(place), f"M{decimal(place)} 0V{HEIGHT}") for place in placed if 0 <= place <= BINS],
        names=_names([(place, name) for place, (_, name) in zip(placed, deploys, strict=True)]),
        top=_top(today, scale, placed),
        points=_points(noun, clock, first, today, yesterday),
        table=_table(clock, first, today, yesterday),
        label=f"{noun.capitalize()}s per 15 minutes, last 24 hours: from {exact(min(today))} to {exact(max(today))}",
    )


def _hourly(values: Sequence[int]) -> list[float]:
    """The mean of four bars each, so that line and bars have one unit."""
    return [sum(values[start : start + HOUR]) / HOUR for start in range(0, len(values), HOUR)]


def _bars(today: Sequence[int], open_in: Mapping[int, str], scale: Rise) -> list[tuple[str, str]]:
    paths: dict[str, str] = {}
    for place, value in enumerate(today):
        if value:
            kind = open_in.get(place, "")
            bar = f"M{place}.1 {HEIGHT}V{scale.y(value)}h.8V{HEIGHT}z"
            paths[kind] = paths.get(kind, "") + bar
    return sorted(paths.items())


def _steps(values: Sequence[float], scale: Rise) -> str:
    steps = [
        f"{'M0 ' if not place else 'V'}{scale.y(value)}H{HOUR * (place + 1)}" for place, value in enumerate(values)
    ]
    return "".join(steps)


def _names(deploys: Sequence[tuple[float, str]]) -> list[tuple[str, str, bool]]:
    """The newest few that have room; towards the right end a name stands to the left of its line."""
    taken: list[Taken] = []
    found: list[tuple[str, str, bool]] = []
    for place, name in sorted(deploys, reverse=True):
        at = 100 * place / BINS
        here = stretch(at, cut(name, LONGEST), left=at > 50)
        if name and 0 <= at <= 100 and len(found) < NAMED and is_free(here, taken, end=100):
            taken.append(here)
            found.append((f"{at:.2f}%", cut(name, LONGEST), at > 50))
    return found


def _top(today: Sequence[int], scale: Rise, deploys: Sequence[float]) -> tuple[str, str, str, str] | None:
    """Above its bar, within the plot, and clear of the lines of deploys: beside a near one if need be."""
    most = max(today)
    if most <= WORTH_A_NUMBER * median(today) or not most:
        return None
    place, wide = max(range(len(today)), key=lambda bar: today[bar]), len(exact(most)) * CHARACTER
    near = [line for line in deploys if abs(line - place - 0.5) <= BESIDE]
    ways = [("m", place + 0.5), ("s", place), ("e", place + 1)]
    ways += [way for line in near for way in (("e", line - APART), ("s", line + APART))]
    inside = [(way, start) for way in ways if 0 <= (start := way[1] - ANCHORS[way[0]] * wide) <= BINS - wide]
    clear = [way for way, start in inside if not any(start <= line <= start + wide for line in deploys)]
    anchor, at = clear[0] if clear else inside[0][0]
    return percent(at, BINS), scale.y(most), exact(most), anchor


def _points(noun: str, clock: Clock, first: int, today: Sequence[int], yesterday: Sequence[int]) -> list[str]:
    """02:45 to 03:00: 12 errors, 9 the day before."""
    edges = [clock.minute(EPOCH + (first + place * BIN) * MINUTE) for place in range(BINS + 1)]
    return [
        f"{edges[place]} to {edges[place + 1]}: {counted(now, noun)}, {exact(before)} the day before"
        for place, (now, before) in enumerate(zip(today, yesterday, strict=True))
    ]


def _table(clock: Clock, first: int, today: Sequence[int], yesterday: Sequence[int]) -> list[tuple[str, list[str]]]:
    """As it is drawn: a row an hour, its four bars, and the hour of the day before."""
    rows = []
    for place in range(0, BINS, HOUR):
        start = EPOCH + (first + place * BIN) * MINUTE
        values = [*today[place : place + HOUR], sum(yesterday[place : place + HOUR])]
        rows.append((clock.minute(start), [exact(value) for value in values]))
    return rows
