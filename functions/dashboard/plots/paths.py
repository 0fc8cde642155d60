"""Paths of step lines and bars: whole x, y with one decimal, H and V only."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from functions.dashboard.plots.scale import Rise, decimal

Value = tuple[int, int | None, bool]  # place, height, whether the rule holds


class Step(NamedTuple):
    """A level stretch of the line."""

    start: int
    end: int
    y: str
    holds: bool


def steps(values: Sequence[Value], scale: Rise) -> list[Step]:
    """Neighbours of one height are one step. Few values are different ones, so each height is written once."""
    heights = {value: scale.y(value) for value in {value for _, value, _ in values} if value is not None}
    found: list[Step] = []
    for x, value, holds in values:
        if value is None:
            continue
        y, start = heights[value], x
        if found and found[-1].end == x and found[-1][2:] == (y, holds):
            start = found.pop().start
        found.append(Step(start, x + 1, y, holds))
    return found


def line(steps: Sequence[Step]) -> str:
    """It goes on where the columns do, and begins anew after a gap or where there is no value."""
    path, before = "", None
    for step in steps:
        path += f"V{step.y}H{step.end}" if _follows(step, before) else f"M{step.start} {step.y}H{step.end}"
        before = step
    return path


def held(steps: Sequence[Step]) -> str:
    """The same line once more where the rule holds, with the rise that leads there."""
    path, before = "", None
    for step in steps:
        if step.holds:
            goes_on = _follows(step, before)
            move = (
                ""
                if goes_on and before and before.holds
                else f"M{step.start} {before.y if goes_on and before else step.y}"
            )
            path += f"{move}V{step.y}H{step.end}"
        before = step
    return path


def fill(steps: Sequence[Step], ground: str) -> str:
    """The area of those minutes: from zero up to the line, or from the usual down to it."""
    path, before = "", None
    for step in steps:
        goes_on = _follows(step, before) and before is not None and before.holds
        if before and before.holds and not (goes_on and step.holds):
            path += f"V{ground}z"
        if step.holds:
            path += f"{'' if goes_on else f'M{step.start} {ground}'}V{step.y}H{step.end}"
        before = step
    return path + (f"V{ground}z" if before and before.holds else "")


def bars(counts: Mapping[int, int], height: int) -> str:
    """Of each minute, scaled to the highest."""
    most = max(counts.values(), default=0)
    heights = {x: decimal(height - height * count / most) for x, count in counts.items() if count}
    return "".join(f"M{x}.1 {height}V{y}h.8V{height}z" for x, y in heights.items())


def _follows(step: Step, before: Step | None) -> bool:
    return before is not None and before.end == step.start
