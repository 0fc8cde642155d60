"""A dead letter on its way back: the record's own bytes, wrapped, on the topic and under the key it came from.

Only the station that refused it opens it. The others have had the record, and pass over it: the engine would count
it a second time.
"""

from collections.abc import Iterable, Iterator

import msgspec

from common.edge.records import UNREADABLE, Record

BEGIN = b'{"retried":'


class Retried(msgspec.Struct, frozen=True):
    """`retried` is the letter's id; the value is base64, as it is in the letter."""

    retried: str
    station: str
    value: bytes | None


_read = msgspec.json.Decoder(Retried).decode


def wrapped(letter: str, station: str, value: bytes | None) -> bytes:
    return msgspec.json.encode(Retried(letter, station, value))


def read(record: Record) -> Retried | None:
    """None: it is an ordinary record."""
    if record.value is None or not record.value.startswith(BEGIN):
        return None
    try:
        return _read(record.value)
    except UNREADABLE:
        return None  # somebody else's bytes; the station says what it thinks of them


def for_station(station: str, records: Iterable[Record]) -> Iterator[Record]:
    """Ordinary records, and the own bytes of those that came back to this station."""
    for record in records:
        back = read(record)
        if back is None:
            yield record
        elif back.station == station:
            yield msgspec.structs.replace(record, value=back.value)
