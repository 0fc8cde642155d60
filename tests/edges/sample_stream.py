"""A stream function that prints what it read and fails when a record's key says so."""

import json
import sys

from common import edge, topics
from common.edge.records import Record, Refused
from common.errors import Problem, Unavailable


def handle(records: list[Record]) -> list[Refused]:
    keys = {record.key for record in records}
    if b"unavailable" in keys:
        raise Unavailable("Postgres", retry_after=7)
    if b"problem" in keys:
        raise Problem("too_long", "the batch is")
    if b"bug" in keys:
        raise KeyError("sck_verysecret was not there")
    said = [[r.topic, r.partition, r.offset, r.timestamp, _text(r.key), _text(r.value)] for r in records]
    print(json.dumps({"read": said}), file=sys.stderr, flush=True)
    return [Refused(record, "not_json", "no value") for record in records if record.value is None]


def bury(refused: list[Refused]) -> None:
    if any(one.record.key == b"no grave" for one in refused):
        raise Unavailable("Kafka")
    said = [[one.record.partition, one.record.offset, one.code] for one in refused]
    print(json.dumps({"buried": said}), file=sys.stderr, flush=True)


def _text(value: bytes | None) -> str | None:
    return None if value is None else value.decode()


asgi, gcp, aws, main = edge.stream(handle, bury, topic=topics.RAW)
