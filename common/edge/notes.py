"""What is logged and counted of requests and batches: one line each, or one for many."""

from __future__ import annotations

from time import monotonic

from common import log
from common.edge.values import Request, Response
from common.metrics import names, samples

_sampler = log.Sampler()


def sampled(name: str, request: Request, response: Response, started: float) -> None:
    """Every refusal, every slow request, and of the rest one a second with the number it stands for."""
    now = monotonic()
    _count(name, response, now - started)
    if response.status >= 400 or "error" in response.log or now - started >= log.SLOW_SECONDS:
        _line(name, request, response, now - started)
    elif stands_for := _sampler.due(now):
        _line(name, request, response, now - started, stands_for=stands_for)


def every(name: str, request: Request, response: Response, started: float) -> None:
    """Each one: a batch is worth a line."""
    seconds = monotonic() - started
    _count(name, response, seconds)
    _line(name, request, response, seconds)


def event(name: str, response: Response, started: float) -> None:
    """An invocation that was no HTTP request: a Kafka batch or a schedule on AWS, a trigger on DigitalOcean."""
    seconds = monotonic() - started
    _count(name, response, seconds)
    _write(name, response, seconds)


def failure(name: str, response: Response, started: float) -> None:
    """Part of a request, whose own line says no more than that it failed."""
    _write(name, response, monotonic() - started)


def added(name: str) -> None:
    """What this call has counted, where the process may be gone before anybody asks."""
    if counters := samples.added():
        log.write_counters(name, counters)


def _count(name: str, response: Response, seconds: float) -> None:
    names.REQUESTS.add(1, name, str(response.status))
    names.REQUEST_SECONDS.observe(seconds, name)


def _line(name: str, request: Request, response: Response, seconds: float, **more: object) -> None:
    _write(name, response, seconds, method=request.method, path=request.path, status=response.status, **more)


def _write(name: str, response: Response, seconds: float, **more: object) -> None:
    failed = response.status >= 500 or "error" in response.log
    level = "error" if failed else "warn" if response.status >= 400 else "info"
    fields = {**more, "ms": round(seconds * 1000, 1), **response.log}
    log.write(level, name, **fields)
