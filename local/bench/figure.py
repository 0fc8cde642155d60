"""A figure: what was measured, what the obvious way took in the same run, and what is to be reached."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from time import perf_counter, process_time

from msgspec import Struct

NONE = "–"
# What takes time takes longer on a slower machine; a weight, a ratio and a count do not.
TIMED = ("ms", "ms of CPU", "µs of CPU", "events/s", "jobs/s", "records/s", "a CPU second", "% of a core")


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
    slower: float = 1.0  # than the machine the target was set on: 1.6 takes 1.6 times as long

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
        return self._reached(self.value)

    @property
    def reached_there(self) -> bool:
        """Whether it would be, on the machine the target was set on."""
        timed = self.slower if self.unit in TIMED else 1.0
        return self._reached(self.value / timed if self.most else self.value * timed)

    def _reached(self, value: float) -> bool:
        if self.times is not None and (self.ratio is None or self.ratio < self.times):
            return False
        if self.target is None:
            return True
        return value <= self.target if self.most else value >= self.target

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
