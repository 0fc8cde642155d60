"""Which dead letters somebody means: by id, station, reason or time; found by reading all there are."""

import argparse
import re
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import NamedTuple

from common import topics
from common.clients.postgres import letters
from common.clients.postgres.connection import Connection
from common.clients.postgres.letters import End
from common.clients.stream import Stream, dead
from common.clients.stream.dead import Letter
from common.edge.records import UNREADABLE
from common.errors import Misconfigured

AT_ONCE = 50  # a letter may be some megabytes
UNITS = {"d": "days", "h": "hours", "m": "minutes"}


class Wanted(NamedTuple):
    """What is empty does not matter; `ids` may be their first characters. Times as letters write them."""

    ids: tuple[str, ...] = ()
    station: str = ""
    reason: str = ""
    since: str = ""
    until: str = ""


class Found(NamedTuple):
    letter: Letter
    end: End | None  # None: it is still dead


def wanted(words: argparse.Namespace, now: datetime) -> Wanted:
    for one in words.ids:
        if not re.fullmatch(r"[0-9a-f-]{4,36}", one):
            raise Misconfigured(f"{one!r} is no letter's id, nor its first four or more characters; `list` shows them.")
    since, until = (moment(text, now) for text in (words.since, words.until))
    return Wanted(tuple(words.ids), words.station, words.reason, since, until)


def moment(text: str, now: datetime) -> str:
    """A time with its offset, or how long ago: 7d, 12h, 30m."""
    if not text:
        return ""
    try:
        if text[-1] in UNITS and text[:-1].isdecimal():
            at = now - timedelta(**{UNITS[text[-1]]: int(text[:-1])})
        else:
            at = datetime.fromisoformat(text)
        if at.tzinfo is None:
            raise ValueError
    except (ValueError, OverflowError):
        hint = "write 2026-03-01T12:00:00Z, or how long ago: 7d, 12h, 30m"
        raise Misconfigured(f"{text!r} is no time with its offset: {hint}.") from None
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def means(one: Wanted, letter: Letter) -> bool:
    return (
        (not one.ids or letter.id.startswith(one.ids))
        and one.station in ("", letter.station)
        and one.reason in ("", letter.reason.code)
        and (not one.since or letter.at >= one.since)
        and (not one.until or letter.at < one.until)
    )


def find(conn: Connection, stream: Stream, one: Wanted) -> Iterator[Found]:
    """Each once, dead or not; a batch that came again may have been buried twice."""
    all_of_them = _all(stream, one)
    while some := list(islice(all_of_them, AT_ONCE)):
        ends = letters.ends(conn, [letter.id for letter in some])
        yield from (Found(letter, ends.get(letter.id)) for letter in some)


def _all(stream: Stream, one: Wanted) -> Iterator[Letter]:
    had: set[str] = set()
    unreadable = 0
    for record in stream.scan(topics.DLQ):
        try:
            letter = dead.read(record.value or b"")
        except UNREADABLE:
            unreadable += 1
            continue
        if letter.id not in had and means(one, letter):
            had.add(letter.id)
            yield letter
    if unreadable:
        print(f"{unreadable} records of {topics.DLQ} are no letters of ours", file=sys.stderr)
