"""Who reads, and how he likes it: the signed-in caller, his zone and theme, the moment of his request."""

import os
import re
from datetime import UTC, datetime, tzinfo
from time import monotonic
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec
from starlette.requests import Request

from common.access import Access
from common.clients.postgres.tokens import ROLES, Caller
from common.edge import clocks
from common.errors import Problem
from functions.dashboard import session, stores
from functions.dashboard.times import Clock

COOKIE, NOTICE, ZONE, THEME, KEYS = "session", "notice", "tz", "theme", "keys"
THEMES = ("light", "dark")
_ZONE = re.compile(r"[A-Za-z][A-Za-z0-9_+-]*(?:/[A-Za-z0-9_+-]+){0,2}")
_HERE = re.compile(r"/(?![/\\])[!-\[\]-~]*")

access = Access(stores.look_up, monotonic)


class Notice(msgspec.Struct, frozen=True):
    """What an action says on the next page; `undo` is the path of the form that takes it back."""

    text: str
    undo: str = ""


class Reader(msgspec.Struct, frozen=True, kw_only=True):
    caller: Caller
    now: datetime
    zone: tzinfo  # of every clock time and axis he is shown
    theme: str  # light, dark, or empty: as the system
    keys: bool  # whether single keys are shortcuts
    root: str  # where we are mounted: every link begins with it
    here: str  # the path he asked for, with its query, without the root
    csrf: str  # what a form of ours must bring back
    notice: Notice | None = None

    @property
    def clock(self) -> Clock:
        return Clock(self.now, self.zone)

    def may(self, role: str) -> bool:
        return ROLES.index(self.caller.role) >= ROLES.index(role)


async def reader_of(request: Request) -> Reader:
    """Problem 401 if nobody is signed in, or the token is no longer good."""
    now, secret = clocks.now(), await stores.secret()
    cookie = request.cookies.get(COOKIE, "")
    signed = session.session(secret, cookie, now)
    if signed is None:
        raise Problem("signed_out", "Sign in to see this.", status=401)
    caller = await access.signed_in(signed.digest, now)
    return Reader(
        caller=caller,
        now=now,
        zone=zone_named(request.cookies.get(ZONE, "")) or UTC,
        theme=theme_named(request.cookies.get(THEME, "")),
        keys=request.cookies.get(KEYS) != "off",
        root=root_of(request),
        here=here_of(request),
        csrf=session.form_token(secret, cookie, os.urandom(session.PAD)),
        notice=notice_of(secret, request.cookies.get(NOTICE, "")),
    )


def zone_named(name: str) -> ZoneInfo | None:
    """None: there is no such zone."""
    if len(name) > 64 or not _ZONE.fullmatch(name):
        return None
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):  # "Europe" is a folder, "tzdata.zi" no zone
        return None


def theme_named(name: str) -> str:
    return name if name in THEMES else ""


def notice_of(secret: bytes, cookie: str) -> Notice | None:
    text = session.unsign(secret, NOTICE, cookie) if cookie else None
    return msgspec.json.decode(text, type=Notice) if text else None


def root_of(request: Request) -> str:
    return str(request.scope.get("root_path", "")).rstrip("/")


def here_of(request: Request) -> str:
    """The address without the root and without what only the script asks for."""
    path = request.url.path.removeprefix(root_of(request)) or "/"
    query = "&".join(part for part in request.url.query.split("&") if part and part != "part=live")
    return f"{path}?{query}" if query else path


def local_path(text: str) -> str:
    """A path of this dashboard; anything else, another host above all, is the first page."""
    return text if len(text) <= 2048 and _HERE.fullmatch(text) else "/"
