"""Count events by the minute, see what is unusual, and open an incident for it: one transaction a batch."""

from functools import cache

from common import edge, topics
from common.clients import stream
from common.clients.ids import new_id
from common.clients.postgres.database import Database
from common.clients.stream.dead import bury_for
from common.edge.records import Record, Refused
from functions.incident_engine.engine import Engine
from functions.incident_engine.events import NAME


def handle(records: list[Record]) -> list[Refused]:
    return engine().handle(records)


@cache
def engine() -> Engine:
    return Engine(Database(1), stream.shared, new_id)


asgi, gcp, aws, main = edge.stream(handle, bury_for(NAME), topic=topics.RAW)
