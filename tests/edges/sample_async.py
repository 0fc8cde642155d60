"""The same function, awaited."""

import asyncio

from common import edge
from common.edge.values import Request, Response
from tests.edges import sample_http


async def handle(request: Request) -> Response:
    await asyncio.sleep(0)  # it really needs a loop
    return sample_http.handle(request)


asgi, gcp, aws, main = edge.http(handle)
