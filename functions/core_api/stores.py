"""What core_api asks: Postgres on a few connections, search, the stream. Opened on first use."""

from collections.abc import Sequence
from functools import cache

from common import settings
from common.clients.postgres import tokens
from common.clients.postgres.database import Database
from common.clients.postgres.tokens import Looked
from common.clients.search import Search, search_for
from common.clients.stream import Stream, stream_for
from common.threads import Threads

# Three organisations may ask as much as they may, and the next still finds a connection.
database = Database(16)
_tokens, _asking = Database(2), Threads(2)  # whoever asks slowly never keeps anybody from signing in


async def look_up(digest: str, whos: Sequence[str]) -> Looked:
    return await _asking.run(_look_up, digest, whos)


def _look_up(digest: str, whos: Sequence[str]) -> Looked:
    with _tokens.connection() as conn:
        return tokens.look_up(conn, digest, whos)


@cache
def search() -> Search:
    return search_for(settings.current(), database)


@cache
def stream() -> Stream:
    return stream_for(settings.current())
