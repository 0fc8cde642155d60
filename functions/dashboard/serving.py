"""How a page is answered and an action done: who asks, may he, in whose turn, and what has changed since."""

from collections.abc import Awaitable, Callable, Mapping
from typing import NamedTuple
from urllib.parse import parse_qsl, urlencode

import msgspec
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from common.access import must_be
from common.clients.postgres import incidents
from common.clients.postgres.connection import Connection
from common.errors import Problem
from common.turns import Turns
from functions.dashboard import session, stores
from functions.dashboard.live import etag_of
from functions.dashboard.reader import COOKIE, NOTICE, Notice, Reader, reader_of
from functions.dashboard.rendering import render

READS_AT_ONCE, WAIT_SECONDS = 4, 5.0
turns = Turns(READS_AT_ONCE, WAIT_SECONDS)

Endpoint = Callable[[Request], Awaitable[Response]]


class Asked(NamedTuple):
    """What a page is made from."""

    reader: Reader
    conn: Connection
    path: Mapping[str, str]  # what the route's pattern found
    query: Mapping[str, str]
    version: object = None  # what the page's `version` answered


class Page(NamedTuple):
    """One page: `values` for its template, `version` of the data they come from, the seconds between refreshes.

    `values` may hold `every`, if that depends on them; 0: never. Two statements are the frame's and the version's.
    """

    template: str
    values: Callable[[Asked], Mapping[str, object]]
    version: Callable[[Asked], object] = lambda _asked: None
    every: int = 0


class Sent(NamedTuple):
    """What an action gets."""

    reader: Reader
    path: Mapping[str, str]
    form: Mapping[str, str]


class Done(NamedTuple):
    """Go on to this page, which says so."""

    to: str
    notice: str = ""
    undo: str = ""  # the path of the form that takes it back


class Shown(NamedTuple):
    """A page in answer to a form, with more values: what is shown once, or what was wrong with it.

    `at` is the path of this page, from which it refreshes: at the form's own there is none.
    """

    page: Page
    at: str
    more: Mapping[str, object]
    status: int = 200
    query: Mapping[str, str] = {}


Act = Callable[[Sent], Done | Shown | Response]


def get(find: Callable[[], Page]) -> Endpoint:
    async def endpoint(request: Request) -> Response:
        reader = await reader_of(request)
        async with turns.of(reader.caller.org_id):
            return await stores.pages.run(answered, find(), reader, request)

    return endpoint


def post(act: Act, role: str) -> Endpoint:
    async def endpoint(request: Request) -> Response:
        reader = await reader_of(request)
        sent = Sent(reader, words_of(request), await form_of(request))
        await must_be_ours(request, sent.form)
        must_be(reader.caller, role)
        async with turns.of(reader.caller.org_id):
            result = await stores.pages.run(act, sent)
            if isinstance(result, Done):
                return redirect(reader.root, result.to, await notice_cookie(result))
            if isinstance(result, Shown):
                return await stores.pages.run(shown, result, sent)
            return result

    return endpoint


def answered(page: Page, reader: Reader, request: Request) -> Response:
    """The page; for the script its live sections, or 304 before anything is rendered."""
    live = request.query_params.get("part") == "live"
    with stores.database.connection() as conn:
        asked = Asked(reader, conn, words_of(request), request.query_params)
        standing = incidents.standing(conn, reader.caller.org_id)
        asked = asked._replace(version=page.version(asked))
        etag = etag_of(reader, standing, asked.version)
        if live and etag in request.headers.get("if-none-match", ""):
            return Response(status_code=304, headers={"etag": etag})
        values = {"every": page.every, "standing": standing, "etag": etag, "at": "", **page.values(asked)}
    response = HTMLResponse(render(page.template, reader, values, live=live), headers={"etag": etag})
    if reader.notice and not live:
        forget(response, reader.root, NOTICE)
    return response


def shown(result: Shown, sent: Sent) -> Response:
    at = result.at + ("?" + urlencode(result.query) if result.query else "")
    reader = msgspec.structs.replace(sent.reader, here=at)
    with stores.database.connection() as conn:
        asked = Asked(reader, conn, sent.path, result.query)
        asked = asked._replace(version=result.page.version(asked))
        standing = incidents.standing(conn, reader.caller.org_id)
        frame = {"every": result.page.every, "standing": standing, "etag": "", "at": at}
        values = {**frame, **result.page.values(asked), **result.more}
    return HTMLResponse(render(result.page.template, reader, values), result.status)


def words_of(request: Request) -> dict[str, str]:
    return {name: str(value) for name, value in request.path_params.items()}


async def form_of(request: Request) -> dict[str, str]:
    try:
        body = (await request.body()).decode()
        return dict(parse_qsl(body, keep_blank_values=True, max_num_fields=50, errors="strict"))
    except ValueError:
        raise Problem("bad_form", "This is no form of ours.", status=400) from None


async def must_be_ours(request: Request, form: Mapping[str, str], bearer: str = COOKIE) -> None:
    """Whatever acts must come from a page we made for the bearer of this very cookie."""
    cookie = request.cookies.get(bearer, "")
    if not session.form_holds(await stores.secret(), cookie, form.get("csrf", "")):
        raise Problem("stale_form", "This form is out of date. Go back, reload the page and try again.", status=403)


async def notice_cookie(done: Done) -> str:
    if not done.notice:
        return ""
    text = msgspec.json.encode(Notice(done.notice, done.undo)).decode()
    return session.sign(await stores.secret(), NOTICE, text)


def redirect(root: str, to: str, notice: str = "") -> Response:
    response = RedirectResponse(root + to, 303)
    if notice:
        keep(response, root, NOTICE, notice, 60)
    return response


def keep(response: Response, root: str, name: str, value: str, seconds: int) -> None:
    """A cookie no script can read, sent to us alone; the application adds that it goes over TLS only."""
    response.set_cookie(name, value, max_age=seconds, path=root or "/", httponly=True, samesite="lax")


def forget(response: Response, root: str, name: str) -> None:
    keep(response, root, name, "", 0)
