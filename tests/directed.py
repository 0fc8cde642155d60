"""Histories with a purpose through the whole engine: what random ones are likely to miss, and the short ones."""

from itertools import groupby

from common.clients.postgres.database import Database
from tests import histories
from tests.cases import Step, cases, steps_of
from tests.counted import Where, compared, numbers, park, refer
from tests.counting import Desk, Log

SHORT, MINUTES = 2000, 12  # events of a short history; its last minutes, each a batch


def floor_differences(where: Where) -> list[str]:
    """A usual that grew slowly, kept as a floor, and then silence: the floor must not be believed too long.

    Random histories miss this: in most of them an incident is in its day, and then no floor decides.
    """
    found: list[str] = []
    for last, burst in ((176, 360), (183, 420), (190, 360), (197, 330), (204, 360), (211, 420)):
        _, steps = steps_of(f"E 5@0..69 14@70..139 40@140..{last} {burst}@{last + 30}")
        number = next(numbers)
        desk = Desk(Database(1, where), Log(f"floor:{number}"), "error", f"f{number}")
        desk.send([step for step in steps if step.minute < last - 40])
        for _, some in groupby((step for step in steps if step.minute >= last - 40), key=lambda step: step.minute):
            desk.send(some)
        found += compared(desk, refer("error", steps))
        desk.close()
    return found


def short_differences(where: Where) -> list[str]:
    """Of the boundary cases and directed histories that are short, a minute a batch, the first that differs."""
    one_series = [case for case in cases() if not any(step.series for step in case.steps)]
    told = [steps_of(line) for line in histories.DIRECTED] + [(case.kind, case.steps) for case in one_series]
    short = [(kind, steps) for kind, steps in told if len(steps) <= SHORT]
    return next(filter(None, (_short(where, kind, steps) for kind, steps in short)), [])


def _short(where: Where, kind: str, steps: list[Step]) -> list[str]:
    number = next(numbers)
    desk = Desk(Database(1, where), Log(f"short:{number}"), kind, f"s{number}")
    histories.play(desk, steps, by_minute)  # type: ignore[arg-type]
    found = compared(desk, refer(kind, steps))
    park(desk)
    desk.close()
    return found


def by_minute(steps: list[Step]) -> list[list[Step]]:
    """A minute a batch, but for a long flow, of which the last ones are."""
    batches = [list(some) for _, some in groupby(steps, key=lambda step: step.minute)]
    flow, rest = batches[:-MINUTES], batches[-MINUTES:]
    return [[step for batch in flow for step in batch], *rest] if flow else rest
