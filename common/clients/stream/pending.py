"""A publish call on its way: whoever made it waits in its thread or awaits it in its event loop, as it likes."""

from __future__ import annotations

import threading
from collections.abc import Generator, Iterable
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from common.errors import Unavailable

if TYPE_CHECKING:  # loading it costs a cold start 40 ms; whoever awaits has done so already
    import asyncio

# Ingest promises an answer within five. An engine gives up before this, so that its reason is what the caller hears.
WAIT_SECONDS = 4.7


class Pending:
    """Done when the stream has all of the call for good; then waiting returns, or raises what went wrong."""

    __slots__ = ("_error", "_event", "_future", "done")

    def __init__(self) -> None:
        self.done = False
        self._error: Exception | None = None
        self._event: threading.Event | None = None
        self._future: asyncio.Future[None] | None = None

    def wait(self, timeout: float = WAIT_SECONDS) -> None:
        if not self.done:
            self._event = threading.Event()
            # Looked at again: `end` may have come between the two lines above, and then nobody sets the event.
            if not self.done and not self._event.wait(timeout):
                raise Unavailable("The stream", f"no answer within {timeout:g} s")
        self._raise()

    def __await__(self) -> Generator[Any, None, None]:
        if not self.done:
            from asyncio import get_running_loop

            loop = get_running_loop()
            self._future = loop.create_future()
            if not self.done:
                yield from self._in_time(loop, self._future)
        self._raise()

    def _in_time(self, loop: asyncio.AbstractEventLoop, future: asyncio.Future[None]) -> Generator[Any, None, None]:
        late = loop.call_later(WAIT_SECONDS, _resolve, [future])
        try:
            yield from future
        finally:
            late.cancel()
        if not self.done:
            raise Unavailable("The stream", f"no answer within {WAIT_SECONDS:g} s")

    def _raise(self) -> None:
        if self._error:
            raise self._error.with_traceback(None)  # one error may end many calls


def end(calls: Iterable[Pending], error: Exception | None = None) -> None:
    """End these calls, from any thread; an event loop is woken once, however many of them it waits for."""
    loops: dict[asyncio.AbstractEventLoop, list[asyncio.Future[None]]] = {}
    for call in calls:
        call._error, call.done = error, True
        if call._event:
            call._event.set()
        if call._future:
            loops.setdefault(call._future.get_loop(), []).append(call._future)
    for loop, futures in loops.items():
        with suppress(RuntimeError):  # a closed loop: nobody waits there any more
            loop.call_soon_threadsafe(_resolve, futures)


def _resolve(futures: list[asyncio.Future[None]]) -> None:
    for future in futures:
        if not future.done():  # cancelled meanwhile
            future.set_result(None)
