"""Running an awaitable where no event loop is: plain handlers without asyncio, async ones on one kept loop."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from asyncio import AbstractEventLoop
    from collections.abc import Callable, Coroutine
    from typing import Any, TypeVar

    from typing_extensions import TypeIs

    from common.edge.values import Async, Handle, Request, Response

    T = TypeVar("T")

CO_COROUTINE = 0x80  # inspect.CO_COROUTINE; importing inspect costs 11 ms
_loop: AbstractEventLoop | None = None


def on_loop(handle: Handle) -> TypeIs[Async]:
    """Whether it was written `async def`."""
    code = getattr(handle, "__code__", None)
    return bool(code and code.co_flags & CO_COROUTINE)


def awaitable(handle: Handle) -> Async:
    """The same handler, to be awaited; a plain one is done when it returns."""
    if on_loop(handle):
        return handle

    async def handled(request: Request) -> Response:
        return handle(request)

    return handled


def runner(handle: Handle) -> Callable[[Coroutine[Any, Any, T]], T]:
    """How to run what awaits this handler."""
    return wait if on_loop(handle) else drive


def drive(work: Coroutine[Any, Any, T]) -> T:
    """Runs what never waits; asyncio is not imported."""
    try:
        work.send(None)
    except StopIteration as end:
        answer: T = end.value
        return answer
    work.close()
    raise RuntimeError("a plain handler waited for an event loop")


def wait(work: Coroutine[Any, Any, T]) -> T:
    """Runs it on this process's one loop: `asyncio.run` costs ten times as much and breaks kept async clients."""
    global _loop
    if _loop is None:
        import asyncio

        _loop = asyncio.new_event_loop()
    return _loop.run_until_complete(work)
