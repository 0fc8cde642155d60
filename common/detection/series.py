"""The counts of one series, minute by minute: what the windows of the rules are added up from.

A minute is an integer, whole minutes since 1970 (before it: negative), and named by its start.
"""

from collections.abc import Iterable, Mapping

HOUR = 60
# a longer stretch is kept in a dictionary: a series may have an event of the year 1 beside one of today
DENSE_MINUTES = 4096


class Dense:
    """A list with one number a minute: a window is the sum of a slice."""

    def __init__(self, first: int, last: int, counts: Mapping[int, int]) -> None:
        self._first = first
        self._values = [0] * (last - first + 1)
        for minute, count in counts.items():
            self._values[minute - first] = count

    def add(self, minute: int, count: int) -> None:
        self._values[minute - self._first] += count

    def at(self, minute: int) -> int:
        index = minute - self._first
        return self._values[index] if 0 <= index < len(self._values) else 0

    def total(self, first: int, last: int) -> int:
        """The sum of both minutes and all between; minutes nobody counted are zero."""
        start = self._first
        return sum(self._values[max(first - start, 0) : max(last - start + 1, 0)])

    def newest(self, first: int, last: int) -> int | None:
        """The last minute of this stretch that has an event."""
        start, values = self._first, self._values
        stretch = range(min(last - start, len(values) - 1), max(first - start, 0) - 1, -1)
        return next((start + index for index in stretch if values[index]), None)


class Scattered:
    """The same questions, answered by a dictionary."""

    def __init__(self, counts: Mapping[int, int]) -> None:
        self._values = dict(counts)

    def add(self, minute: int, count: int) -> None:
        self._values[minute] = self.at(minute) + count

    def at(self, minute: int) -> int:
        return self._values.get(minute, 0)

    def total(self, first: int, last: int) -> int:
        return sum(self._values[minute] for minute in self._stretch(first, last))

    def newest(self, first: int, last: int) -> int | None:
        return max((minute for minute in self._stretch(first, last) if self._values[minute]), default=None)

    def _stretch(self, first: int, last: int) -> Iterable[int]:
        if last - first < len(self._values):
            return [minute for minute in range(first, last + 1) if minute in self._values]
        return [minute for minute in self._values if first <= minute <= last]


Counts = Dense | Scattered


def counts_of(rows: Mapping[int, int], coming: Iterable[int] = ()) -> Counts:
    """The counts that were read, with room for the minutes that are coming."""
    minutes = (*rows, *coming)
    first, last = min(minutes, default=0), max(minutes, default=0)
    return Scattered(rows) if last - first > DENSE_MINUTES else Dense(first, last, rows)
