"""What every reader of an organisation would read again is kept for a few seconds."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Generic, TypeVar

MOST = 64  # organisations
T = TypeVar("T")


class Kept(Generic[T]):
    """Of each organisation the newest; twice at once is read twice, which harms nobody."""

    def __init__(self, so_long: timedelta) -> None:
        self._so_long = so_long
        self._values: dict[str, tuple[datetime, T]] = {}

    def of(self, org: str, now: datetime, read: Callable[[], T]) -> T:
        kept = self._values.get(org)
        if kept and timedelta(0) <= now - kept[0] < self._so_long:
            return kept[1]
        value = read()
        if len(self._values) >= MOST:
            self._values.clear()
        self._values[org] = now, value
        return value
