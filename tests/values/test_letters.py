"""Which dead letters somebody means, and what comes back to which station."""

import argparse
from datetime import UTC, datetime

import msgspec
import pytest

from common.clients.stream import dead, retried
from common.edge.records import Record, Refused
from common.errors import Misconfigured
from local.letters import Wanted, means, moment, wanted

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def letter(value: bytes | None = b"x", station: str = "indexer") -> dead.Letter:
    return dead.letter(station, Refused(Record("signals.raw.v1", 3, 7, 1, b"k", value), "too_deep", "why"), NOW)


@pytest.mark.parametrize(
    ("one", "meant"),
    [
        (Wanted(), True),
        (Wanted(ids=(letter().id,)), True),
        (Wanted(ids=("0000", letter().id[:4])), True),
        (Wanted(ids=("0000",)), False),
        (Wanted(station="indexer", reason="too_deep"), True),
        (Wanted(station="indexer", reason="too"), False),  # a code is no pattern
        (Wanted(station="archiver"), False),
        (Wanted(since="2026-03-01T12:00:00.000Z"), True),
        (Wanted(until="2026-03-01T12:00:00.000Z"), False),
        (Wanted(since="2026-03-01T11:00:00.000Z", until="2026-03-01T12:00:00.001Z"), True),
    ],
)
def test_what_is_empty_does_not_matter_and_everything_else_must_hold(one: Wanted, meant: bool) -> None:
    assert means(one, letter()) is meant


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("", ""),
        ("2h", "2026-03-01T10:00:00.000Z"),
        ("1d", "2026-02-28T12:00:00.000Z"),
        ("90m", "2026-03-01T10:30:00.000Z"),
        ("2026-03-01T13:00:00+02:00", "2026-03-01T11:00:00.000Z"),
    ],
)
def test_a_time_is_a_moment_or_how_long_ago(text: str, at: str) -> None:
    assert moment(text, NOW) == at


@pytest.mark.parametrize("text", ["2026-03-01T12:00:00", "yesterday", "h", "5w", "99999999999d"])
def test_a_time_that_says_too_little_is_refused(text: str) -> None:
    with pytest.raises(Misconfigured, match="7d, 12h, 30m"):
        moment(text, NOW)


@pytest.mark.parametrize("text", ["xyz", "abc", "' OR 1", "9" * 37])
def test_an_id_is_some_of_its_characters(text: str) -> None:
    with pytest.raises(Misconfigured, match="no letter's id"):
        wanted(argparse.Namespace(ids=[text], since="", until="", station="", reason=""), NOW)


@pytest.mark.parametrize("value", [None, b"", b"\xff\x00", b'{"a": 1}'])
def test_a_record_comes_back_to_its_station_as_it_was_and_to_no_other(value: bytes | None) -> None:
    one = letter(value)
    record = Record("signals.raw.v1", 3, 9, 2, b"k", retried.wrapped(one.id, one.station, one.value))
    other = Record("signals.raw.v1", 3, 10, 2, b"k", b'{"retried":1}')  # somebody else's
    assert list(retried.for_station("archiver", [record, other])) == [other]
    [back, _] = retried.for_station("indexer", [record, other])
    assert back == msgspec.structs.replace(record, value=value)


def test_a_letter_of_a_record_that_came_back_holds_its_own_bytes() -> None:
    record = Record("signals.raw.v1", 3, 9, 2, b"k", retried.wrapped("id", "indexer", b"own"))
    again = dead.letter("indexer", Refused(record, "too_large", ""), NOW)
    assert (again.value, again.offset) == (b"own", 9)
