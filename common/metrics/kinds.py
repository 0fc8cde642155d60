"""The kinds of metric: numbers in a dict behind one lock. Nothing is imported for them, for a cold start pays it."""

from __future__ import annotations

from _thread import allocate_lock

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    Values = tuple[str, ...]  # of the labels, in their order

_lock = allocate_lock()  # plain handlers run in threads
OPEN: tuple[str, ...] = ()  # of a label whose values are not known beforehand


class Metric:
    """Its name, its meaning, who counts it, and its labels with the values that are known beforehand.

    Where all of them are known, all begin at zero: else nobody could tell the first one from a beginning.
    """

    kind = ""

    def __init__(
        self, name: str, meaning: str, parts: tuple[str, ...], labels: Mapping[str, tuple[str, ...]] | None = None
    ) -> None:
        self.name, self.meaning, self.parts, self.labels = name, meaning, parts, dict(labels or {})

    def beginnings(self) -> list[Values]:
        found: list[Values] = [()]
        for known in self.labels.values():
            found = [(*before, value) for before in found for value in known]
        return found


class Counter(Metric):
    """Only grows; begins again with the process."""

    kind = "counter"

    def __init__(
        self, name: str, meaning: str, parts: tuple[str, ...], labels: Mapping[str, tuple[str, ...]] | None = None
    ) -> None:
        super().__init__(name, meaning, parts, labels)
        self.counts: dict[Values, int] = {}
        self.changed = False  # since somebody set it back

    def add(self, count: int, *values: str) -> None:
        with _lock:
            self.changed = True
            self.counts[values] = self.counts.get(values, 0) + count

    def seen(self) -> dict[Values, int]:
        with _lock:
            return dict(self.counts)


class Gauge(Metric):
    """As it is now; whoever is asked for the page finds out then."""

    kind = "gauge"


class Histogram(Metric):
    """How often each length of time was seen, in seconds."""

    kind = "histogram"

    def __init__(
        self,
        name: str,
        meaning: str,
        parts: tuple[str, ...],
        labels: Mapping[str, tuple[str, ...]] | None = None,
        *,
        bounds: tuple[float, ...],
    ) -> None:
        super().__init__(name, meaning, parts, labels)
        self.bounds = bounds
        self.fallen: dict[Values, list[int]] = {}  # a number for each bound, and one for what is beyond
        self.sums: dict[Values, float] = {}
        self.changed = False

    def observe(self, seconds: float, *values: str) -> None:
        place = 0
        while place < len(self.bounds) and seconds > self.bounds[place]:
            place += 1
        with _lock:
            self.changed = True
            fallen = self.fallen.get(values)
            if fallen is None:
                fallen = self.fallen[values] = [0] * (len(self.bounds) + 1)
            fallen[place] += 1
            self.sums[values] = self.sums.get(values, 0.0) + seconds

    def seen(self) -> dict[Values, tuple[list[int], float]]:
        with _lock:
            return {values: (list(fallen), self.sums[values]) for values, fallen in self.fallen.items()}
