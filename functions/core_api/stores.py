"""What core_api asks: Postgres on a few connections, search, the stream. Opened on first use."""

from collections.abc import Sequence
from functools import cache

from common import settings
from common.access import Looked
from common.clients.postgres import tokens
from common.clients.postgres.database import Database
from common.clients.search import Search, search_for
from common.clients.stream import Stream, stream_for

# Three organisations may ask as much as they may, and the next still finds a connection.
database = Database(16)
_tokens = Database(2)  # whoever asks slowly never keeps anybody from signing in


def look_up(digest: str, whos: Sequence[str]) -> Looked:
    """Whose token this is. An unknown one is counted; whoever was refused too often is not even looked up."""
    with _tokens.connection() as conn:
        if whos and (seconds := tokens.must_wait(conn, whos)):
            return Looked(None, seconds)
        caller = tokens.caller_of(conn, digest)
        if caller is None and whos:
            tokens.refused(conn, whos)
        return Looked(caller)


@cache
def search() -> Search:
    return search_for(settings.current(), database)


@cache
def stream() -> Stream:
    return stream_for(settings.current())
