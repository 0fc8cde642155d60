"""A plain function that says what it was given, and fails in each way there is."""

from base64 import b64encode

from common import edge
from common.edge.values import Request, Response, reply
from common.errors import Misconfigured, Problem, Unavailable

SHOWN = ("content-type", "cookie", "x-api-key", "x-twice")


def handle(request: Request) -> Response:
    """The path chooses."""
    if request.path == "/problem":
        raise Problem("too_long", "route is longer than 512.", field="attributes.route", headers=[("x-why", "long")])
    if request.path == "/unavailable":
        raise Unavailable("Postgres", retry_after=7) from ConnectionError("postgres://us:hunter2@db/x refused")
    if request.path == "/bug":
        raise KeyError("sck_verysecret was not there")
    if request.path == "/misconfigured":
        raise Misconfigured("GRADIENT_MODEL is not set: name a model.")
    if request.path == "/binary":
        cookies = [("set-cookie", "a=1; Path=/"), ("set-cookie", "b=2; HttpOnly")]
        return Response(201, bytes(range(256)), [("content-type", "application/octet-stream"), *cookies])
    if request.path == "/empty":
        return Response(204)
    return echo(request)


def echo(request: Request) -> Response:
    said = {
        "method": request.method,
        "path": request.path,
        "query": request.query,
        "headers": {name: request.headers[name] for name in SHOWN if name in request.headers},
        "body": b64encode(request.body).decode(),
    }
    return reply(200, said, [("x-sample", "1")], log={"event_id": "e-1"})


asgi, gcp, aws, main = edge.http(handle)
