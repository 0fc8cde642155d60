"""Who asks, and whether he may: what every route but health begins with."""

from collections.abc import AsyncIterator
from time import monotonic
from typing import Annotated

from fastapi import Depends, Request

from common.access import Access, address_of, must_be
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
        address = address_of(request.headers, request.client.host if request.client else "")
        caller = await access.caller_of(request.headers, address, clocks.now())
        must_be(caller, self.role)
        only_known(request)
        async with turns.of(caller.org_id):
            yield caller


Viewer = Annotated[Caller, Depends(Allowed("viewer"))]
Responder = Annotated[Caller, Depends(Allowed("responder"))]
Admin = Annotated[Caller, Depends(Allowed("admin"))]
