"""A small Starlette app with what a dashboard does: cookies, redirects, links, files, compressed pages."""

from collections.abc import AsyncIterator

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response, StreamingResponse
from starlette.routing import Mount, Route

from common import edge
from common.errors import Problem, Unavailable


async def page(request: Request) -> Response:
    answer = HTMLResponse(f"<a href='{request.url_for('item', name='ab')}'>größer</a>" + "x" * 2000)
    answer.set_cookie("session", "1", httponly=True)
    answer.set_cookie("theme", "dark")
    return answer


async def item(request: Request) -> Response:
    return PlainTextResponse(f"{request.path_params} {request.query_params} {request.cookies} {request.method}")


async def sign_in(request: Request) -> Response:
    form = await request.body()
    return RedirectResponse(request.url_for("page").include_query_params(n=len(form)), 303)


async def latin(_request: Request) -> Response:
    return Response("größer".encode("latin-1"), media_type="application/octet-stream")


async def chunks(_request: Request) -> Response:
    async def parts() -> AsyncIterator[bytes]:
        for number in range(3):
            yield f"part {number}\n".encode()

    return StreamingResponse(parts(), media_type="text/plain")


async def broken(_request: Request) -> Response:
    async def parts() -> AsyncIterator[bytes]:
        yield b"the first half"
        raise KeyError("in mid-stream")

    return StreamingResponse(parts(), media_type="text/plain")


async def fail(request: Request) -> Response:
    kind = request.path_params["kind"]
    if kind == "problem":
        raise Problem("too_long", "route is longer than 512.", field="attributes.route", headers=[("x-why", "long")])
    if kind == "unavailable":
        raise Unavailable("Postgres", retry_after=7)
    raise KeyError("a bug")


routes = [
    Route("/page", page),
    Route("/items/{name}", item),
    Route("/sign-in", sign_in, methods=["POST"]),
    Route("/latin", latin),
    Route("/chunks", chunks),
    Route("/broken", broken),
    Route("/fail/{kind}", fail),
    Mount("/folder", routes=[Route("/", item)]),
]
app = Starlette(routes=routes, middleware=[Middleware(GZipMiddleware, minimum_size=1000)])
asgi, gcp, aws, main = edge.app(app)
