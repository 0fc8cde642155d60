"""The routes, and what every answer bears."""

import os
import re

from starlette.applications import Starlette
from starlette.datastructures import MutableHeaders
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.routing import Route
from starlette.types import Message, Receive, Scope, Send

from common import settings
from common.errors import Problem, Unavailable
from functions.dashboard import assets, errors, health
from functions.dashboard.pages import incidents, jobs, late, overview, search, setup, sign_in
from functions.dashboard.serving import get, post

POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
}
_REQUEST_ID = re.compile(rb"[A-Za-z0-9._-]{8,64}")

ROUTES = [
    Route("/", get(lambda: overview.page)),
    Route("/incidents", get(lambda: incidents.page)),
    Route("/incidents/{id:uuid}", get(late.incident)),
    *(
        Route(f"/incidents/{{id:uuid}}/{name}", post(late.on_incident(name), "responder"), methods=["POST"])
        for name in late.ACTS
    ),
    Route("/search", get(lambda: search.page)),
    Route("/search/narrow", search.narrow),
    Route("/search/download", post(search.download, "viewer"), methods=["POST"]),
    Route("/jobs", get(lambda: jobs.page)),
    Route("/jobs/{id:uuid}/retry", post(jobs.retry, "responder"), methods=["POST"]),
    Route("/setup", get(lambda: setup.page)),
    Route("/setup/keys", post(late.in_setup("make_key"), "admin"), methods=["POST"]),
    Route("/setup/keys/{project}/{id:uuid}/revoke", post(late.in_setup("revoke_key"), "admin"), methods=["POST"]),
    Route("/setup/tokens", post(late.in_setup("make_token"), "admin"), methods=["POST"]),
    Route("/setup/tokens/{id:uuid}/revoke", post(late.in_setup("revoke_token"), "admin"), methods=["POST"]),
    Route("/setup/projects", post(late.in_setup("make_project"), "admin"), methods=["POST"]),
    Route("/setup/preferences", post(late.in_setup("prefer"), "viewer"), methods=["POST"]),
    Route("/setup/shortcuts", post(late.in_setup("switch_shortcuts"), "viewer"), methods=["POST"]),
    Route("/sign-in", sign_in.form, methods=["GET"]),
    Route("/sign-in", sign_in.sign_in, methods=["POST"]),
    Route("/sign-out", sign_in.sign_out, methods=["POST"]),
    Route("/static/{name}", assets.static),
    Route("/health", health.health),
    Route("/healthz", health.health),
    Route("/readyz", health.ready),
    Route("/{path:path}", errors.nothing, methods=["GET", "POST"]),
]


class Dashboard(Starlette):
    """The outermost layer is ours, so that failures bear the same headers as pages."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request_id = request_id_of(scope)

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.setdefault("cache-control", "private, no-store")
                headers.update(HEADERS | {"x-request-id": request_id})
                if over_tls(scope):
                    message["headers"] = [secured(*pair) for pair in message["headers"]]
            await send(message)

        await super().__call__(scope, receive, sending)


def over_tls(scope: Scope) -> bool:
    """Whether people come by TLS. Whoever only claims it keeps his own cookies from plain HTTP, and nothing else."""
    said = dict(scope.get("headers", ())).get(b"x-forwarded-proto", b"").partition(b",")[0].strip().lower()
    return scope.get("scheme") == "https" or said == b"https" or settings.current().public_url.startswith("https:")


def secured(name: bytes, value: bytes) -> tuple[bytes, bytes]:
    """A cookie that is sent over TLS only."""
    return (name, value + b"; Secure") if name == b"set-cookie" else (name, value)


def request_id_of(scope: Scope) -> str:
    """The caller's, if it looks like one, else a new one."""
    said = next((value for name, value in scope.get("headers", ()) if name == b"x-request-id"), b"")
    return said.decode() if _REQUEST_ID.fullmatch(said) else os.urandom(12).hex()


app = Dashboard(
    routes=ROUTES,
    middleware=[Middleware(GZipMiddleware, minimum_size=1024, compresslevel=4)],
    exception_handlers={Problem: errors.problem, Unavailable: errors.unavailable, Exception: errors.bug},
)
app.router.redirect_slashes = False
