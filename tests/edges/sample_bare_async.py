"""The same, awaited."""

from common import edge
from common.edge.values import Request, Response


async def handle(request: Request) -> Response:
    return Response(204)


asgi, gcp, aws, main = edge.http(handle)
