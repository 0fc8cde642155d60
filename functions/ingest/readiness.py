"""Does the stream answer? Asked at most once a second, however many ask us: the address is public."""

import asyncio
from collections.abc import Callable

FRESH = 1.0


class Readiness:
    """One question is under way at a time, and its answer is everybody's for a second, whatever it was."""

    def __init__(self, ask: Callable[[], object], clock: Callable[[], float]) -> None:
        self._ask, self._clock = ask, clock
        self._question: asyncio.Future[object] | None = None
        self._asked_at = float("-inf")

    async def check(self) -> None:
        """Raises what asking raised."""
        if self._question is None or (self._question.done() and self._clock() - self._asked_at >= FRESH):
            self._asked_at = self._clock()
            self._question = asyncio.get_running_loop().run_in_executor(None, self._ask)
        await asyncio.shield(self._question)
