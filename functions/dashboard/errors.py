"""What a person is told when it did not work: always a page, in plain words, with what to do next."""

from typing import Any
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from common.errors import Problem, Unavailable
from functions.dashboard.pages.sign_in import WORDS
from functions.dashboard.reader import here_of, local_path, root_of
from functions.dashboard.rendering import plain
from functions.dashboard.serving import redirect

NOTHING = "There is nothing here, or it is not yours."


async def problem(request: Request, error: Any) -> Response:
    """The reader's: signed out, not allowed, not found, too fast."""
    assert isinstance(error, Problem)
    live = request.query_params.get("part") == "live"
    if error.status == 401 and not live:
        return sign_in_first(request, error.code)
    words = NOTHING if error.status == 404 else error.detail
    return said(request, error.status, words, dict(error.headers))


async def unavailable(request: Request, error: Any) -> Response:
    assert isinstance(error, Unavailable)
    words = "The dashboard cannot reach its database." if error.what == "Postgres" else f"{error.what} does not answer."
    return said(request, 503, words, {"retry-after": str(error.retry_after)}, again=True)


async def bug(request: Request, error: Any) -> Response:  # noqa: ARG001 (the guard logs it)
    return said(request, 500, "This page has a fault. It is in the log.", {}, again=True)


async def nothing(request: Request) -> Response:
    return said(request, 404, NOTHING, {})


def sign_in_first(request: Request, why: str) -> Response:
    """And then back to where one was; after a form, to the page it stood on."""
    to = here_of(request) if request.method == "GET" else page_of_form(request)
    because = f"&why={why}" if why in WORDS else ""
    return redirect(root_of(request), f"/sign-in?next={quote(local_path(to), safe='')}{because}")


def page_of_form(request: Request) -> str:
    origin = f"{request.url.scheme}://{request.url.netloc}"
    return request.headers.get("referer", "").removeprefix(origin).removeprefix(root_of(request))


def said(request: Request, status: int, words: str, headers: dict[str, str], *, again: bool = False) -> Response:
    here = here_of(request) if request.method == "GET" else "/"
    html = plain("problem.html", root_of(request), words=words, here=local_path(here), again=again)
    return HTMLResponse(html, status, headers)
