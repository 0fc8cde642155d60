"""Index a batch of envelopes for search, in one request; what is none, or cannot be indexed, is refused."""

from functools import cache

from common import edge, settings, topics
from common.clients.search import Search, search_for
from common.clients.stream import retried
from common.clients.stream.dead import bury_for
from common.edge.records import Record, Refused

NAME = "indexer"


def handle(records: list[Record]) -> list[Refused]:
    """Everything else is searchable when this returns. Overload raises Unavailable: the batch comes again."""
    given = list(retried.for_station(NAME, records))
    refusals = search().index([record.value or b"" for record in given])
    return [Refused(given[one.index], one.code, one.detail) for one in refusals]


@cache
def search() -> Search:
    return search_for(settings.current())


asgi, gcp, aws, main = edge.stream(handle, bury_for(NAME), topic=topics.RAW)
