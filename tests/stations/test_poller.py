"""The poller on both streams: everything arrives, in order, and what breaks a station stops nothing but itself."""

import json
import signal
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from common.clients.stream import partition_of
from local import skip
from tests.pollers import Room, numbered, wait_for_done
from tests.streams import wait_for


@pytest.fixture(params=["postgres", "kafka"])
def room(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Room]:
    made = Room(request.param, tmp_path)
    yield made
    made.close()


def test_a_record_that_kills_its_station_stops_its_partition_alone_until_it_is_skipped(
    room: Room, capfd: pytest.CaptureFixture[str]
) -> None:
    probe = room.probe()
    room.publish(numbered(300))
    room.publish([{"n": 100, "do": "crash"}], partition=1)
    room.publish(numbered(50), partition=1)
    feeder = room.feed(probe.url, max_records=100)
    wait_for(lambda: bool(feeder.troubles()), 20)
    room.publish(numbered(30))  # the others go on
    wait_for_done(probe, 320)
    assert set(probe.done()[0]) == set(probe.done()[2]) == set(range(110))
    assert sorted(set(probe.done()[1])) == list(range(100))
    [trouble] = feeder.troubles()
    assert (trouble["partition"], trouble["offset"]) == (1, 100)
    wait_for(lambda: "skip --station probe --partition 1 --offset 100" in capfd.readouterr().err, 5)

    began = time.monotonic()
    assert skip.main({"DATABASE_URL": room.database_url}, "probe", 1, 100, "it crashes the parser") == 0
    assert time.monotonic() - began < 5
    wait_for_done(probe, 320 + 60)
    assert sorted(set(probe.done()[1])) == [n for n in range(161) if n != 100]
    [letter] = room.letters(1)
    assert (letter.reason.code, letter.reason.detail, letter.offset) == ("skipped", "it crashes the parser", 100)
    assert letter.by
    assert feeder.troubles() == []


def test_a_stopped_poller_finishes_its_request_and_leaves_nothing_to_repeat(room: Room) -> None:
    probe = room.probe()
    probe.tell("slow", "0.5")
    room.publish(numbered(90))
    poller = room.poller(probe.url, max_records=30)
    wait_for(lambda: len(probe.batches("got")) == 2, 15)
    poller.popen.send_signal(signal.SIGTERM)
    assert poller.popen.wait(10) == 0
    assert len(probe.batches()) == 2
    probe.untell("slow")
    again = time.monotonic()
    room.feed(probe.url)
    wait_for_done(probe, 90)
    assert time.monotonic() - again < 5  # it has left, nobody waits for its lease to end
    assert probe.done() == {0: list(range(30)), 1: list(range(30)), 2: list(range(30))}


def test_everything_arrives_once_and_in_order_and_is_committed(room: Room) -> None:
    probe = room.probe()
    room.publish(numbered(3000))
    feeder = room.feed(probe.url, max_records=250)
    wait_for_done(probe, 3000)
    room.publish(numbered(3))
    wait_for_done(probe, 3003)
    assert probe.done() == {0: list(range(1001)), 1: list(range(1001)), 2: list(range(1001))}
    assert 200 < max(len(one.records) for one in probe.batches()) <= 250
    wait_for(lambda: set(feeder.positions().values()) == {1001}, 5)
    feeder.stopping.set()
    wait_for(lambda: feeder.left, 10)
    reader = room.engine.reader(room.topic)
    wait_for(lambda: bool(reader.read(1, 1, 0.1)) or len(reader.assigned()) == room.partitions, 15)
    assert reader.assigned() == {0: 1001, 1: 1001, 2: 1001}


def test_what_is_refused_and_what_is_too_large_is_buried_with_its_bytes_and_the_rest_goes_on(room: Room) -> None:
    probe = room.probe()
    values: list[dict[str, Any]] = [{"n": 0}, {"n": 1, "do": "refuse"}, {"n": 2, "x": "y" * 4_194_000}, {"n": 3}]
    room.publish(values, partition=1)
    room.feed(probe.url)
    wait_for_done(probe, 3)
    assert probe.done() == {1: [0, 1, 3]}
    refused, large = sorted(room.letters(2), key=lambda letter: letter.offset)
    assert (refused.station, refused.partition, refused.offset, refused.reason.code) == ("probe", 1, 1, "not_wanted")
    assert (large.station, large.partition, large.offset, large.reason.code) == ("probe", 1, 2, "too_large")
    assert [json.loads(letter.value or b"") for letter in (refused, large)] == values[1:3]
    assert partition_of(refused.key, room.partitions) == 1


def test_a_killed_poller_loses_nothing_and_another_repeats_only_what_was_not_committed(room: Room) -> None:
    probe = room.probe()
    probe.tell("slow", "0.03")
    one, two = room.poller(probe.url, max_records=30), room.feed(probe.url, max_records=30)
    wait_for(lambda: 0 < len(two.positions()) < 3, 20)
    room.publish(numbered(900))
    wait_for_done(probe, 200)
    one.popen.kill()
    wait_for_done(probe, 900, 30)
    for offsets in probe.done().values():
        assert sorted(set(offsets)) == list(range(300))
        assert sum(after != offset + 1 for offset, after in pairwise(offsets)) <= 1
    # Of each of its partitions, two at most: the last answer, not committed yet, and the request that was under way.
    assert sum(len(offsets) for offsets in probe.done().values()) - 900 <= 2 * 2 * 30
