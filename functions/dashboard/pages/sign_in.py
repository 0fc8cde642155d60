"""Signing in with an access token, and out again."""

import os

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from common.access import address_of
from common.credentials import digest
from common.edge import clocks
from common.errors import Problem
from functions.dashboard import session, stores
from functions.dashboard.reader import COOKIE, ZONE, access, local_path, root_of, zone_named
from functions.dashboard.rendering import plain
from functions.dashboard.serving import forget, form_of, keep, must_be_ours, redirect

VISIT = "visit"  # what the sign-in form is bound to, before there is a session
MONTH, YEAR = 30 * 86_400, 365 * 86_400
UNKNOWN = "That token is not known, or it was revoked."
EXPIRED = "Your token expired. Sign in to go on where you were."
WORDS = {"expired_token": EXPIRED, "unknown_token": "Your token was revoked. Sign in with another one."}


async def form(request: Request) -> Response:
    return await page(request, request.query_params.get("next", "/"), WORDS.get(request.query_params.get("why", "")))


async def sign_in(request: Request) -> Response:
    """A cookie for this token, and on to the page that was asked for."""
    sent = await form_of(request)
    to = local_path(sent.get("next", "/"))
    await must_be_ours(request, sent, VISIT)
    token = sent.get("token", "").strip()
    address = address_of(request.headers, request.client.host if request.client else "")
    try:
        await access.caller_of({"authorization": f"Bearer {token}"}, address, clocks.now())
    except Problem as problem:
        if problem.status not in (401, 429):
            raise
        return await page(request, to, said(problem), problem.status)
    response = redirect(root_of(request), to)
    cookie = session.begin(await stores.secret(), digest(token), clocks.now(), os.urandom(12))
    keep(response, root_of(request), COOKIE, cookie, MONTH)
    forget(response, root_of(request), VISIT)
    if zone_named(sent.get("zone", "")) and ZONE not in request.cookies:
        keep(response, root_of(request), ZONE, sent["zone"], YEAR)
    return response


async def sign_out(request: Request) -> Response:
    sent = await form_of(request)
    await must_be_ours(request, sent)
    response = redirect(root_of(request), "/sign-in")
    forget(response, root_of(request), COOKIE)
    return response


async def page(request: Request, to: str, wrong: str | None, status: int = 200) -> Response:
    visit = request.cookies.get(VISIT) or os.urandom(16).hex()
    token = session.form_token(await stores.secret(), visit, os.urandom(session.PAD))
    html = plain("sign_in.html", root_of(request), csrf=token, to=local_path(to), wrong=wrong)
    response = HTMLResponse(html, status)
    keep(response, root_of(request), VISIT, visit, 3600)
    return response


def said(problem: Problem) -> str:
    if problem.code == "slow_down":
        return f"Too many tries. Try again in {dict(problem.headers)['retry-after']} s."
    return EXPIRED if problem.code == "expired_token" else UNKNOWN
