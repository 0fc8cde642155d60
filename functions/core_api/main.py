"""core_api: incidents, events, metrics and AI jobs over HTTP, each caller in its own organisation."""

from fastapi import Request, Response
from starlette.middleware.cors import CORSMiddleware
from starlette.middleware.gzip import GZipMiddleware

from common import edge, settings
from functions.core_api import (
    actions,
    ai,
    deploys,
    health,
    incidents,
    metrics,
    page,
    projects,
    search,
    tokens,
)
from functions.core_api.answers import answered
from functions.core_api.application import Api
from functions.core_api.parameters import known_to

PUBLIC = "public, max-age=300"

ROOMS = (incidents, actions, search, deploys, metrics, ai, projects, tokens, health)

# Not by include_router, which would give the app a lifespan.
routes = [route for room in ROOMS for route in room.router.routes]
app = Api(routes=routes, openapi_url=None, docs_url=None, redoc_url=None, redirect_slashes=False)
app.state.parameters = known_to(routes)

app.add_middleware(GZipMiddleware, minimum_size=1024, compresslevel=4)
if origins := settings.current().cors_origins:
    app.add_middleware(
        CORSMiddleware,
        allow_origins=origins,
        allow_methods=["GET", "POST"],
        allow_headers=["authorization", "content-type", "if-none-match", "x-request-id"],
        expose_headers=["etag", "retry-after", "x-request-id"],
    )


@app.get("/openapi.json", include_in_schema=False)
async def openapi(request: Request) -> Response:
    return published(answered(request, app.openapi()))


@app.get("/docs", include_in_schema=False)
async def docs() -> Response:
    headers = {"content-security-policy": page.POLICY}
    return published(Response(page.of(app.openapi()), media_type="text/html", headers=headers))


def published(response: Response) -> Response:
    """Nobody's secret: it may be kept for a while."""
    response.headers["cache-control"] = PUBLIC
    return response


asgi, gcp, aws, main = edge.app(app)
