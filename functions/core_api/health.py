"""Whether it lives, and whether it can work."""

from time import monotonic

from fastapi import APIRouter

from common.version import VERSION
from functions.core_api.shapes.base import Shape
from functions.core_api.stores import database

router = APIRouter(tags=["health"])
FRESH = 1.0
_answered_at = float("-inf")


class Health(Shape):
    status: str
    version: str


@router.get("/healthz")
@router.get("/health")
async def health() -> Health:
    """It lives: nothing is asked. One platform keeps paths that end in z for itself, hence two names."""
    return Health(status="ok", version=VERSION)


@router.get("/readyz")
def ready() -> Health:
    """Postgres answers, with a schema this release knows. It is asked once a second: the address is public."""
    global _answered_at
    if monotonic() - _answered_at >= FRESH:
        with database.connection() as conn:
            conn.run("SELECT 1")
        _answered_at = monotonic()
    return Health(status="ready", version=VERSION)
