"""Threads of one's own: whatever stands still in them never keeps anybody out of another's."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


class Threads:
    """At most so many, begun when they are first needed."""

    def __init__(self, at_most: int) -> None:
        self._pool = ThreadPoolExecutor(at_most)

    async def run(self, do: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        return await asyncio.wrap_future(self._pool.submit(do, *args, **kwargs))
