"""The sparkline of a row: sixty bars of one minute, the usual behind them, the minutes in which the rule held.

Bars are strokes of one path each kind, in a box 61 wide: bar n stands at n + 1. A few hundred bytes in all.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from common.detection.readings import Reading
from common.incidents.clock import EPOCH, MINUTE
from functions.dashboard.plots.scale import decimal
from functions.dashboard.words import exact

BARS, WIDTH, HEIGHT = 60, 61, 32


class Spark(NamedTuple):
    """Paths, empty where there is nothing to draw; `usual` is the height of the block behind."""

    label: str
    bars: str
    held: str
    under: str  # the held minutes once more, so that they can be told without colour
    deploys: str
    usual: str


def spark(
    noun: str, where: str, readings: Sequence[Reading], usual_a_minute: float, deploys: Sequence[datetime]
) -> Spark:
    """Of at most sixty readings; scaled to its own maximum, from zero."""
    counts = [one.alone for one in readings]
    most = max(counts, default=0)
    scale = HEIGHT / max(most, usual_a_minute, 1) * 0.94
    plain = [(place, one.alone) for place, one in enumerate(readings, 1) if not one.holds]
    held = [(place, one.alone) for place, one in enumerate(readings, 1) if one.holds]
    first = readings[0].minute if readings else 0
    block = min(usual_a_minute * scale, HEIGHT)
    return Spark(
        label=f"{noun} per minute, {where}: from {exact(min(counts, default=0))} to {exact(most)}",
        bars=_bars(plain, scale),
        held=_bars(held, scale),
        under=_runs([place for place, _ in held]),
        deploys="".join(f"M{decimal(x)} 0V{HEIGHT}" for x in _places(deploys, first, len(readings))),
        usual=decimal(block) if block >= 0.05 else "",
    )


def _bars(bars: Sequence[tuple[int, int]], scale: float) -> str:
    """Few counts are different ones, so each height is written once."""
    heights = {count: f" {HEIGHT}V{decimal(HEIGHT - count * scale)}" for count in {count for _, count in bars} if count}
    return "".join([f"M{place}{heights[count]}" for place, count in bars if count])


def _runs(places: Sequence[int]) -> str:
    """Neighbours are one line."""
    found: list[list[int]] = []
    for place in places:
        if found and found[-1][1] == place - 1:
            found[-1][1] = place
        else:
            found.append([place, place])
    return "".join(f"M{start - 0.5} {HEIGHT - 1}H{end + 0.5}" for start, end in found)


def _places(moments: Sequence[datetime], first: int, width: int) -> list[float]:
    places = [(moment - EPOCH) / MINUTE - first + 0.5 for moment in moments]
    return [place for place in places if 0 <= place <= width + 1]
