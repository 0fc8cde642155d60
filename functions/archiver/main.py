"""Archive a batch of the raw stream, good records and bad ones alike: an object for each partition."""

from functools import cache

from common import edge, settings, topics
from common.clients import archive
from common.clients.objects import Objects, objects_for
from common.clients.stream import retried
from common.clients.stream.dead import bury_for
from common.edge.records import Record, Refused

NAME = "archiver"


def handle(records: list[Record]) -> list[Refused]:
    """All of them are kept when this returns; nothing is refused, for an archive needs no meaning."""
    archive.write(objects(), retried.for_station(NAME, records))
    return []


@cache
def objects() -> Objects:
    return objects_for(settings.current())


asgi, gcp, aws, main = edge.stream(handle, bury_for(NAME), topic=topics.RAW)
