"""A stream function that does nothing with its batch, for measuring what feeds it."""

import os

from common import edge
from common.edge.records import Record, Refused


def handle(_records: list[Record]) -> list[Refused]:
    return []


def bury(_refused: list[Refused]) -> None:
    raise AssertionError("nothing is refused here")


asgi, gcp, aws, main = edge.stream(handle, bury, topic=os.environ["BENCH_TOPIC"])
