"""One handler, every platform: a module ends with `asgi, gcp, aws, main = edge.http(handle)` or its kin.

`asgi` is plain ASGI (uvicorn), `gcp` functions-framework, `aws` Lambda, `main` DigitalOcean and OpenWhisk. No
platform is imported until it is the host.
"""

from __future__ import annotations

import gc
import sys
from time import monotonic

from common.edge import aws, keys, notes, openwhisk
from common.edge.answers import answer
from common.edge.values import name_of
from common.errors import Misconfigured

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from typing import Any

    from common.edge.aws import Aws
    from common.edge.batches import Batched, Bury
    from common.edge.openwhisk import Main
    from common.edge.ticks import Run
    from common.edge.values import App, Gate, Handle, Note, Receive, Response, Scope, Send

    Gcp = Callable[[Any], Coroutine[Any, Any, App]]
    Entries = tuple[App, Gcp, Aws, Main]

ONLY_HTTP = "This function answers HTTP requests and nothing else; the event it was given is for another one."


def http(handle: Handle) -> Entries:
    """One public thing over HTTP: `handle(Request) -> Response`, which may be async."""
    name = _caller()
    return _entries(
        name,
        lambda: _serve(name, handle, keys.anyone, notes.sampled),
        aws.entry(name, handle, keys.anyone, notes.sampled, _refused_event(name)),
        openwhisk.entry(name, handle, keys.anyone, notes.sampled, _refused_trigger(name)),
    )


def app(asgi_app: Any) -> Entries:
    """A public ASGI app (FastAPI, Starlette) without a lifespan, since no function platform runs one."""
    from common.edge import apps

    name = _caller()
    apps.refuse_lifespan(asgi_app)
    apps.same_answers(asgi_app)
    handle = apps.in_process(asgi_app)
    return _entries(
        name,
        lambda: apps.serve(name, asgi_app, notes.sampled),
        aws.entry(name, handle, keys.anyone, notes.sampled, _refused_event(name)),
        openwhisk.entry(name, handle, keys.anyone, notes.sampled, _refused_trigger(name)),
    )


def stream(handle: Batched, bury: Bury, *, topic: str) -> Entries:
    """Batches of one topic: `handle(records)` answers the refused, `bury` puts them on the dead letters."""
    from common.edge.batches import Batches

    keys.check_start()
    batches = Batches(_caller(), handle, bury, topic)
    return _entries(
        batches.name,
        lambda: _serve(batches.name, batches.over_http, keys.admit, notes.every),
        aws.entry(batches.name, batches.over_http, keys.admit, notes.every, batches.on_aws),
        openwhisk.entry(batches.name, batches.over_http, keys.admit, notes.every, _refused_trigger(batches.name)),
    )


def clock(*runs: Run) -> Entries:
    """What the clock wakes: `run(now) -> int` things done; several are run each after the other's failure."""
    from common.edge.ticks import Ticks

    keys.check_start()
    ticks = Ticks(_caller(), runs)
    return _entries(
        ticks.name,
        lambda: _serve(ticks.name, ticks.over_http, keys.admit, notes.sampled),
        aws.entry(ticks.name, ticks.over_http, keys.admit, notes.sampled, ticks.on_aws),
        openwhisk.entry(ticks.name, ticks.over_http, keys.admit, notes.sampled, ticks.on_trigger),
    )


def _entries(name: str, build: Callable[[], App], on_aws: Aws, on_openwhisk: Main) -> Entries:
    asgi = _lazy(name, build)
    return asgi, _gcp(asgi), on_aws, on_openwhisk


def _serve(name: str, handle: Handle, gate: Gate, note: Note) -> App:
    from common.edge.asgi import serve  # asyncio, 40 ms: only where an ASGI server is the host

    return serve(name, handle, gate, note)


def _lazy(name: str, build: Callable[[], App]) -> App:
    """The app, built at its first request; beside it the page of its metrics, since this process lives."""
    built: App | None = None

    async def asgi(scope: Scope, receive: Receive, send: Send) -> None:
        nonlocal built
        if built is None:
            built = build()
            seldom_collected()
        if scope.get("path") == "/metrics":
            from common.edge import scrape

            if await scrape.served(name, scope, send):
                return
        await built(scope, receive, send)

    return asgi


def seldom_collected() -> None:
    """What is loaded by now lives as long as the process, and requests leave hardly a cycle behind.

    Python would walk the first again and again, and look for cycles whenever a dozen requests are in hand: a tenth
    of what ingest costs.
    """
    gc.freeze()
    gc.set_threshold(10_000)


def _gcp(asgi: App) -> Gcp:
    """functions-framework awaits whatever a function returns as an ASGI app, so it is handed ours."""

    async def gcp(_request: object) -> App:  # its body is not read yet
        return asgi

    if "functions_framework" in sys.modules:  # it is the host: register as async, so that --asgi may be forgotten
        from functions_framework import aio

        register: Any = aio.http
        register(gcp)
    return gcp


def _caller() -> str:
    """The name of the module that called us, for the log."""
    return name_of(sys._getframe(2).f_globals.get("__file__", ""))


def _refused_event(name: str) -> Callable[[object], object]:
    def refused(_event: object) -> object:
        notes.event(name, answer(Misconfigured(ONLY_HTTP)), monotonic())
        raise aws.Failed(ONLY_HTTP)

    return refused


def _refused_trigger(name: str) -> Callable[[object], Response]:
    def refused(_event: object) -> Response:
        response = answer(Misconfigured(ONLY_HTTP))
        notes.event(name, response, monotonic())
        return response

    return refused
