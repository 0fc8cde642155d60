"""A function that reads its request and answers 202: what functions-framework itself costs, beside what ours does."""

from starlette.requests import Request
from starlette.responses import Response


async def gcp(request: Request) -> Response:
    await request.body()
    return Response(b"{}", 202, media_type="application/json")
