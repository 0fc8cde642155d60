"""Whether it lives, and whether it can work: for platforms and `make health`, as every function answers."""

import asyncio
from time import monotonic

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from common.errors import Unavailable
from common.version import VERSION
from functions.dashboard.stores import database

FRESH = 1.0
_answered_at = float("-inf")


async def health(_request: Request) -> Response:
    """It lives: nothing is asked. One platform keeps paths that end in z for itself, hence two names."""
    return JSONResponse({"status": "ok", "version": VERSION})


async def ready(_request: Request) -> Response:
    """Postgres answers, with a schema this release knows. It is asked once a second: the address is public."""
    try:
        await asyncio.to_thread(_ask)
    except Unavailable as error:
        return JSONResponse({"status": "unavailable", "version": VERSION, "detail": f"{error.what} is away."}, 503)
    return JSONResponse({"status": "ready", "version": VERSION})


def _ask() -> None:
    global _answered_at
    if monotonic() - _answered_at >= FRESH:
        with database.connection() as conn:
            conn.run("SELECT 1")
        _answered_at = monotonic()
