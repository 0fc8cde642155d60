"""The archive's names and lines, and that a reader gives each record once, whatever lies in it twice."""

import gzip
import json
import random
from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.clients import archive
from common.edge.records import Record
from common.events.reading import decode_one
from tests.fed import AT, record
from tests.stations.test_search_contract import sealed

TOPIC = "signals.raw.v1"
DAY_MS = 86_400_000


class Shelf:
    """Objects in memory; the real ones are in test_archiver."""

    def __init__(self) -> None:
        self.kept: dict[str, bytes] = {}

    def put(self, name: str, body: bytes) -> None:
        self.kept[name] = body

    def get(self, name: str) -> bytes:
        return self.kept[name]

    def names(self, beginning: str = "") -> Iterator[str]:
        return iter(sorted(name for name in self.kept if name.startswith(beginning)))


def through(shelf: Any, *batches: list[Record]) -> list[Record]:
    for batch in batches:
        archive.write(shelf, batch)
    return list(archive.read(shelf, TOPIC))


def some(first: int, last: int, at: int = AT, partition: int = 0) -> list[Record]:
    return [record(n, b'{"n":%d,"at":%d}' % (n, at), partition, at=at) for n in range(first, last + 1)]


def test_a_name_says_topic_day_partition_offsets_and_time() -> None:
    batch = some(17, 19, partition=3)
    assert archive.name_of(batch) == (
        "signals.raw.v1/day=2026-03-01/partition=3/"
        "00000000000000000017-00000000000000000019-1772366400017.ndjson.gz"
    )  # fmt: skip


@pytest.mark.parametrize(("timestamp", "day"), [(-1, "1970-01-01"), (0, "1970-01-01"), (2**62, "9999-12-31")])
def test_a_senseless_time_still_has_a_day(timestamp: int, day: str) -> None:
    assert f"/day={day}/" in archive.name_of([Record(TOPIC, 0, 0, timestamp)])


def test_a_line_can_be_read_by_anything_that_reads_json() -> None:
    value = sealed("acme", "Überlauf")
    [name] = archive.write(shelf := Shelf(), [record(5, value, key="acme|größe".encode())])  # type: ignore[arg-type]
    [line] = gzip.decompress(shelf.kept[name]).splitlines()
    assert json.loads(line) == {"offset": 5, "timestamp": AT + 5, "key": "acme|größe", "event": json.loads(value)}
    assert value in line


def test_an_archived_event_can_be_sent_again() -> None:
    [back] = through(Shelf(), [record(0, sealed("acme", "again"))])
    assert decode_one(back.value or b"").message == "again"


# Blanks around JSON, a line break within it, what only looks like JSON, and what no text can say.
VALUES = [b"", b"{}", b" {}", b"{}\n", b'{\n"a":1}', b'{"a":"\\u0000\\ud800"}', b"null", b"5", b'"\xff"', b"[1,"]


@given(
    key=st.none() | st.binary(max_size=8) | st.sampled_from([b"", b"acme|shop", "größe".encode(), b"\xff"]),
    value=st.none() | st.binary(max_size=20) | st.sampled_from(VALUES),
)
def test_every_record_comes_back_byte_for_byte(key: bytes | None, value: bytes | None) -> None:
    sent = Record(TOPIC, 2, 7, AT, key, value)
    shelf = Shelf()
    assert through(shelf, [sent]) == [sent]
    [body] = shelf.kept.values()
    [line] = gzip.decompress(body).decode().splitlines()
    assert json.loads(line)["offset"] == 7


def test_a_partitions_records_come_in_their_order_days_apart_or_not() -> None:
    batches = [some(n, n + 9, AT + n * DAY_MS // 40, part) for n in range(0, 100, 10) for part in range(3)]
    given_back = through(Shelf(), *random.Random(5).sample(batches, len(batches)))
    for part in range(3):
        assert [one.offset for one in given_back if one.partition == part] == list(range(100))


def test_the_same_batch_again_is_the_same_object() -> None:
    shelf = Shelf()
    batch = some(0, 9)
    assert through(shelf, batch, batch) == batch
    [body] = shelf.kept.values()
    assert body[4:8] == bytes(4), "the time of packing is in it"


@pytest.mark.parametrize("seed", range(50))
def test_whatever_came_again_in_whatever_cut_is_given_once(seed: int) -> None:
    chance, whole = random.Random(seed), some(0, 99)
    batches: list[list[Record]] = []
    start = 0
    while start < 100:
        size = chance.randint(1, 30)
        batches.append(whole[start : start + size])
        start += size if chance.random() < 0.6 else chance.randint(0, size)  # else some of it comes again
    chance.shuffle(batches)  # one who lost the partition writes late
    assert through(Shelf(), *batches) == whole


def test_a_late_shorter_batch_takes_nothing_from_the_longer_one() -> None:
    assert through(Shelf(), some(0, 9), some(0, 3)) == some(0, 9)


def test_a_topic_made_anew_is_given_too() -> None:
    first, second = some(0, 9), some(0, 4, AT + 60_000)
    assert through(Shelf(), second, first) == first + second


def test_times_that_run_backwards_lose_nothing() -> None:
    late, early = some(0, 9, AT + 10_000), some(10, 19, AT)
    assert sorted(one.offset for one in through(Shelf(), late, early, late)) == list(range(20))


def test_days_can_be_chosen_and_other_objects_are_left_alone() -> None:
    shelf: Any = Shelf()
    archive.write(shelf, some(0, 0))
    archive.write(shelf, some(1, 1, AT + DAY_MS))
    archive.write(shelf, some(2, 2, AT + 2 * DAY_MS))
    shelf.put(f"{TOPIC}/readme.txt", b"hands off")
    second = date(2026, 3, 2)
    assert [one.offset for one in archive.read(shelf, TOPIC, since=second)] == [1, 2]
    assert [one.offset for one in archive.read(shelf, TOPIC, until=second)] == [0, 1]
    assert [one.offset for one in archive.read(shelf, TOPIC, second, second)] == [1]
    assert list(archive.read(shelf, "signals.raw.v2")) == []
