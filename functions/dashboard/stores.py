"""What the dashboard asks: Postgres on a few connections, search, the stream. Opened on first use."""

import os
from collections.abc import Sequence
from functools import cache

from common import settings
from common.clients.postgres import signing, tokens
from common.clients.postgres.database import Database
from common.clients.postgres.tokens import Looked
from common.clients.search import Search, search_for
from common.clients.stream import Stream, stream_for
from common.threads import Threads

database, pages = Database(16), Threads(16)  # of four organisations that read as much as they may
_tokens, _asking = Database(2), Threads(2)  # whoever reads slowly never keeps anybody from signing in
_kept: list[bytes] = []
_search = Database(8)  # a page asks search while it holds a connection: never of the same few


async def look_up(digest: str, whos: Sequence[str]) -> Looked:
    return await _asking.run(_look_up, digest, whos)


def _look_up(digest: str, whos: Sequence[str]) -> Looked:
    with _tokens.connection() as conn:
        return tokens.look_up(conn, digest, whos)


async def secret() -> bytes:
    """What cookies are signed with; asked for once."""
    return _kept[0] if _kept else await _asking.run(_secret)


def _secret() -> bytes:
    with _tokens.connection() as conn:
        _kept[:] = [signing.secret(conn, "cookies", os.urandom(32))]
    return _kept[0]


@cache
def search() -> Search:
    return search_for(settings.current(), _search)


@cache
def stream() -> Stream:
    return stream_for(settings.current())
