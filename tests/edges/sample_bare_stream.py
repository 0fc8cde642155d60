"""The least stream function."""

from common import edge, topics
from common.edge.records import Record, Refused


def handle(records: list[Record]) -> list[Refused]:
    return []


def bury(refused: list[Refused]) -> None:
    """Nothing is refused here."""


asgi, gcp, aws, main = edge.stream(handle, bury, topic=topics.RAW)
