"""Who asks, and whether he may: what every route but health begins with."""

from collections.abc import AsyncIterator
from time import monotonic
from typing import Annotated

from fastapi import Depends, Request

from common.access import Access, must_be
from common.clients.postgres.tokens import Caller
from common.edge import clocks
from common.turns import Turns
from functions.core_api import stores
from functions.core_api.parameters import only_known

READS_AT_ONCE, WAIT_SECONDS = 4, 5.0

access = Access(stores.look_up, monotonic)
turns = Turns(READS_AT_ONCE, WAIT_SECONDS)


class Allowed:
    """A caller with at least this role. It holds one of its organisation's turns until it is answered."""

    def __init__(self, role: str) -> None:
        self.role = role

    async def __call__(self, request: Request) -> AsyncIterator[Caller]:
        caller = await access.caller_of(request.headers, address_of(request), clocks.now())
        must_be(caller, self.role)
        only_known(request)
        async with turns.of(caller.org_id):
            yield caller


def address_of(request: Request) -> str:
    """The last hop before us; the platform itself has added it."""
    hops = request.headers.get("x-forwarded-for", "")
    return hops.rpartition(",")[2].strip() or (request.client.host if request.client else "")


Viewer = Annotated[Caller, Depends(Allowed("viewer"))]
Responder = Annotated[Caller, Depends(Allowed("responder"))]
Admin = Annotated[Caller, Depends(Allowed("admin"))]
