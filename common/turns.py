"""So many reads at a time for each organisation: what one asks never fills the place of another."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from common.errors import Problem


class Turns:
    """Of one process. Whoever comes too many waits a while, then is told to come again."""

    def __init__(self, at_once: int, wait_seconds: float) -> None:
        self._at_once, self._wait_seconds = at_once, wait_seconds
        self._places: dict[str, asyncio.Semaphore] = {}

    @asynccontextmanager
    async def of(self, org: str) -> AsyncIterator[None]:
        places = self._places.setdefault(org, asyncio.Semaphore(self._at_once))
        try:
            async with asyncio.timeout(self._wait_seconds):
                await places.acquire()
        except TimeoutError:
            raise self._too_many() from None
        try:
            yield
        finally:
            places.release()

    def _too_many(self) -> Problem:
        detail = f"Your organisation has {self._at_once} reads under way, and none of them ended in time."
        return Problem("too_many_reads", detail, status=429, headers=[("retry-after", "1")])
