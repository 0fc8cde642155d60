"""A figure: what was measured, what the obvious way took in the same run, and what is to be reached."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from time import perf_counter, process_time

from msgspec import Struct

NONE = "–"


class Figure(Struct, frozen=True, kw_only=True):
    """`target` and `baseline` are in the unit of `value`; `times` is how much better than the baseline it is to be."""

    what: str
    value: float
    unit: str
    target: float | None = None
    baseline: float | None = None
    times: float | None = None
    most: bool = False  # less is better, and the target a bound from above
    cpu_us: float | None = None  # microseconds of CPU an event, beside what is measured in wall time
    note: str = ""
    bench: str = ""
    commit: str = ""
    load: float = 0.0  # of the machine when the bench began: it wants it for itself

    @property
    def ratio(self) -> float | None:
        """How many times better than the baseline."""
        if not self.baseline or not self.value:
            return None
        return self.baseline / self.value if self.most else self.value / self.baseline

    @property
    def bounded(self) -> bool:
        return self.target is not None or self.times is not None

    @property
    def reached(self) -> bool:
        """What promises nothing has reached it."""
        if self.times is not None and (self.ratio is None or self.ratio < self.times):
            return False
        if self.target is None:
            return True
        return self.value <= self.target if self.most else self.value >= self.target

    @property
    def name(self) -> str:
        return f"{self.bench}: {self.what}"


@dataclass
class Taken:
    """Seconds of wall time and of this process's CPU."""

    wall: float = 0.0
    cpu: float = 0.0


@contextmanager
def timed() -> Iterator[Taken]:
    """What the block took is known when it ends."""
    taken, wall, cpu = Taken(), perf_counter(), process_time()
    yield taken
    taken.wall, taken.cpu = perf_counter() - wall, process_time() - cpu


def readable(number: float) -> str:
    """Three digits that count, and no more zeros than one reads."""
    if number >= 1_000:
        return f"{number:,.0f}"
    digits = 0 if number >= 100 else 1 if number >= 10 else 2
    return f"{number:.{digits}f}"
