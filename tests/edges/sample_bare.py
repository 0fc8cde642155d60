"""The least there is: what the edge itself costs."""

from common import edge
from common.edge.values import Request, Response


def handle(request: Request) -> Response:
    return Response(204)


asgi, gcp, aws, main = edge.http(handle)
