"""Which rows this process has seen in the database: that they exist, never what they hold."""

from collections.abc import Collection, Iterable
from typing import Any

from common.clients.postgres.counting import New, Project
from common.clients.postgres.progress import Source
from common.clients.postgres.series import Series

MOST = 100_000  # of each kind; then all are looked at again


class Known:
    """Begins empty in each process."""

    def __init__(self) -> None:
        self._projects: set[Project] = set()
        self._series: set[str] = set()
        self._partitions: set[tuple[Source, int]] = set()

    def missing(
        self, projects: Iterable[Project], series: Iterable[Series], source: Source, partitions: Iterable[int]
    ) -> New:
        return New(
            [one for one in projects if one not in self._projects],
            [one for one in series if one.id not in self._series],
            [one for one in partitions if (source, one) not in self._partitions],
        )

    def add(self, source: Source, new: New) -> None:
        _grow(self._projects, new.projects)
        _grow(self._series, [one.id for one in new.series])
        _grow(self._partitions, [(source, one) for one in new.partitions])

    def forget(self) -> None:
        """Something was not there after all."""
        for known in (self._projects, self._series, self._partitions):
            known.clear()


def _grow(known: set[Any], new: Collection[Any]) -> None:
    if len(known) + len(new) > MOST:
        known.clear()
    known.update(new)
