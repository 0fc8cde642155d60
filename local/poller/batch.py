"""Records as they are sent: each encoded once, and as many together as one request may hold. AWS's Kafka event."""

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from common.edge.records import Record

encode = msgspec.json.Encoder().encode
FRAME = len('{"records":{}}')


class Item(msgspec.Struct, frozen=True, gc=False):
    """A record, and its text in a request; `size` counts the comma too."""

    record: Record
    text: bytes
    size: int


def item(record: Record) -> Item:
    text = encode(record)
    return Item(record, text, len(text) + 1)


def name(topic: str, partition: int) -> str:
    """How AWS names a partition."""
    return f"{topic}-{partition}"


def overhead(topic: str) -> int:
    """What a partition adds beside its records: its name with up to ten digits, quotes, colon, brackets, comma."""
    return len(topic) + len('"-0123456789":[],')


def fitting(items: Iterable[Item], records: int, size: int) -> int:
    """How many from the front are within both limits."""
    count = 0
    for one in items:
        size -= one.size
        if count == records or size < 0:
            break
        count += 1
    return count


def body(topic: str, parts: Mapping[int, Sequence[Item]]) -> bytes:
    """Joined, not formatted: `%` is ten times dearer on a megabyte."""
    pieces: list[bytes] = []
    before = b'{"records":{"'
    for partition, items in parts.items():
        pieces += (before, name(topic, partition).encode(), b'":[', b",".join([one.text for one in items]))
        before = b'],"'
    return b"".join([*pieces, b"]}}"])
