"""The archive of a topic: compressed NDJSON, an object for each partition of a batch, every line with its offset.

An object is called `topic/day=2026-03-01/partition=3/first-last-time.ndjson.gz`: the offsets of its first and its last
record, and the broker's time of the first, whose day is the day. So a batch that comes again is the same object, or cut
in another way another one, which takes nothing from the first; and a topic made anew, whose offsets begin at 0 again,
overwrites nothing. What is in two objects the reader gives once.
"""

import gzip
import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime

import msgspec

from common.clients.objects import Objects
from common.edge.records import UNREADABLE, Record

LEVEL = 6
LAST_MS = 253_402_300_799_999  # of the year 9999
_NAME = re.compile(r".*/day=(\d{4}-\d\d-\d\d)/partition=(\d+)/(\d+)-(\d+)-(\d+)\.ndjson\.gz", re.ASCII)


class Line(msgspec.Struct, omit_defaults=True, gc=False):
    """One record. Key and event as they were published, byte for byte; what is no text or no JSON line, as base64."""

    offset: int
    timestamp: int  # milliseconds, the broker's
    key: str | None = None
    event: msgspec.Raw = msgspec.Raw()
    key_base64: bytes | None = None
    event_base64: bytes | None = None


class Place(msgspec.Struct, frozen=True, order=True):
    """What an object's name says. Sorted so, the records of a partition come in their order."""

    time: int
    partition: int
    first: int
    name: str


class Had:
    """What was given of one partition, as ranges of offsets: there is one, while none is missing."""

    def __init__(self) -> None:
        self._firsts: list[int] = []
        self._lasts: list[int] = []
        self._newest = -1

    def is_new(self, record: Record) -> bool:
        """True once for each record. An offset that was had, but is younger than all that was, is a new topic's."""
        at = bisect_right(self._firsts, record.offset) - 1
        if at >= 0 and record.offset <= self._lasts[at]:
            if record.timestamp <= self._newest:
                return False
            self._firsts, self._lasts, at = [], [], -1
        self._newest = max(self._newest, record.timestamp)
        if at >= 0 and self._lasts[at] == record.offset - 1:
            self._lasts[at] = record.offset
        else:
            self._firsts.insert(at + 1, record.offset)
            self._lasts.insert(at + 1, record.offset)
        return True


_line = msgspec.json.Decoder(Line)
_raw = msgspec.json.Decoder(msgspec.Raw)
_encoder = msgspec.json.Encoder()


def write(objects: Objects, records: Iterable[Record]) -> list[str]:
    """All of them are in the archive for good when this returns the names of its objects."""
    partitions: dict[tuple[str, int], list[Record]] = {}
    for record in records:
        partitions.setdefault((record.topic, record.partition), []).append(record)
    names = []
    for batch in partitions.values():
        names.append(name_of(batch))
        objects.put(names[-1], packed(batch))
    return names


def read(objects: Objects, topic: str, since: date = date.min, until: date = date.max) -> Iterator[Record]:
    """Each record once, from the objects of these days, both included; a partition's in their order."""
    had: dict[int, Had] = {}
    for place in sorted(_places(objects, topic, since, until)):
        given = had.setdefault(place.partition, Had())
        for line in gzip.decompress(objects.get(place.name)).splitlines():
            record = _record(topic, place.partition, _line.decode(line))
            if given.is_new(record):
                yield record


def name_of(batch: list[Record]) -> str:
    """Of the records of one partition, in their order."""
    first, last = batch[0], batch[-1]
    time = min(max(0, first.timestamp), LAST_MS)
    day = datetime.fromtimestamp(time // 1000, UTC).date()
    range_ = f"{first.offset:020d}-{last.offset:020d}-{time}"
    return f"{first.topic}/day={day}/partition={first.partition}/{range_}.ndjson.gz"


def packed(batch: Iterable[Record]) -> bytes:
    """The same records are the same bytes."""
    return gzip.compress(b"".join(_encoder.encode(_written(record)) + b"\n" for record in batch), LEVEL, mtime=0)


def _written(record: Record) -> Line:
    line = Line(record.offset, record.timestamp)
    if record.key is not None:
        try:
            line.key = record.key.decode()
        except UnicodeDecodeError:
            line.key_base64 = record.key
    if record.value is not None:
        if is_json_line(record.value):
            line.event = msgspec.Raw(record.value)
        else:
            line.event_base64 = record.value
    return line


def is_json_line(value: bytes) -> bool:
    """Whether it can stand in a line of JSON and come out as it went in."""
    if b"\n" in value or b"\r" in value or value != value.strip():
        return False
    try:
        _raw.decode(value)
        value.decode()
    except UNREADABLE:
        return False
    return True


def _record(topic: str, partition: int, line: Line) -> Record:
    key = line.key_base64 if line.key is None else line.key.encode()
    value = bytes(line.event) or line.event_base64
    return Record(topic, partition, line.offset, line.timestamp, key, value)


def _places(objects: Objects, topic: str, since: date, until: date) -> Iterator[Place]:
    """Whatever else lies there is none of ours."""
    for name in objects.names(f"{topic}/"):
        found = _NAME.fullmatch(name)
        if found and since <= date.fromisoformat(found[1]) <= until:
            yield Place(int(found[5]), int(found[2]), int(found[3]), name)
