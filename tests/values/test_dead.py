"""What a dead letter says, and that it says it twice the same."""

import base64
import json
from datetime import UTC, datetime, timedelta, timezone

import msgspec

from common.clients.stream import dead
from common.edge.records import Record, Refused

NOW = datetime(2026, 3, 1, 13, 0, 0, 123456, timezone(timedelta(hours=1)))


def refused(offset: int = 7, timestamp: int = 1772366400123, detail: str = "no JSON") -> Refused:
    return Refused(Record("signals.raw.v1", 3, offset, timestamp, None, b"\xff\x00"), "not_json", detail)


def test_a_letter_holds_the_bytes_where_they_come_from_and_why() -> None:
    letter = dead.letter("indexer", refused(), NOW, "ada")
    said = json.loads(msgspec.json.encode(letter))
    assert base64.b64decode(said["value"]) == b"\xff\x00"
    del said["id"]
    assert said == {
        "station": "indexer",
        "reason": {"code": "not_json", "detail": "no JSON"},
        "at": "2026-03-01T12:00:00.123Z",
        "by": "ada",
        "topic": "signals.raw.v1",
        "partition": 3,
        "offset": 7,
        "timestamp": 1772366400123,
        "key": None,
        "value": "/wA=",
        "headers": [],
    }
    assert dead.read(msgspec.json.encode(letter)) == letter


def test_the_same_record_of_the_same_station_is_the_same_letter_and_no_other_is() -> None:
    later = datetime(2026, 3, 2, tzinfo=UTC)
    one = dead.letter("indexer", refused(), NOW).id
    assert dead.letter("indexer", refused(), later).id == one
    others = [
        dead.letter("archiver", refused(), NOW).id,
        dead.letter("indexer", refused(offset=8), NOW).id,
        dead.letter("indexer", refused(timestamp=1772366400124), NOW).id,  # a topic made anew
    ]
    assert len({one, *others}) == 4


def test_a_long_reason_is_cut() -> None:
    assert len(dead.letter("indexer", refused(detail="x" * 10_000), NOW).reason.detail) == dead.DETAIL_CHARACTERS
