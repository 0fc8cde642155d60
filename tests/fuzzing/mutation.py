"""Inputs made from kept ones: cut, doubled, joined, and strewn with what parsers stumble over."""

from collections.abc import Iterator, Sequence
from random import Random

LONGEST = 20_000
STUMBLING = (
    b"\0", b"\xff", b"\xed\xa0\x80", b"\xc0\x80", b"\\u0000", b"\\ud800", b"\xf0\x9f\x92\xa5", b'"', b"\\", b"{", b"}",
    b"[", b"]", b",", b":", b"\n", b"\r\n", b"~", b"-", b"1e400", b"NaN", b"-0", b"9" * 30, b"null", b"true", b"%",
    b"[" * 2000, b'{"a":' * 1500, b"9999-12-31T23:59:59Z", b"0001-01-01T00:00:00+14:00", b"2016-12-31T23:59:60Z",
    b"%00", b"%ff", "\u0130\u03c2\u2028".encode(), b"=", b"|", b"../", b"//", b"a" * 1000,
)  # fmt: skip


def mutated(kept: Sequence[bytes], chance: Random) -> Iterator[bytes]:
    """For ever: one of these, changed once or a few times."""
    while True:
        data = chance.choice(kept)
        for _ in range(chance.choice((1, 1, 2, 4, 8))):
            data = changed(data, kept, chance)[:LONGEST]
        yield data


def changed(data: bytes, kept: Sequence[bytes], chance: Random) -> bytes:
    at, to = sorted((chance.randint(0, len(data)), chance.randint(0, len(data))))
    match chance.randrange(7):
        case 0:
            return data[:at] + chance.choice(STUMBLING) + data[at:]
        case 1:
            return data[:at] + chance.choice(STUMBLING) + data[to:]
        case 2:
            return data[:at] + data[to:]
        case 3:
            return data[:to] + data[at:]
        case 4:
            other = chance.choice(kept)
            return data[:at] + other[chance.randint(0, len(other)) :]
        case 5:
            return data[:at] + bytes([chance.randrange(256)]) + data[at + 1 :]
        case _:
            return data[:at] + bytes([byte ^ 1 << chance.randrange(8) for byte in data[at : at + 1]]) + data[at + 1 :]
