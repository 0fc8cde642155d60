"""What the poller decides without a clock or a server: taking batches apart, waiting, limits, answers, settings."""

import json
import random

import pytest

from common.edge.records import Record, from_json
from common.errors import Misconfigured
from local.poller import batch, pace, stations
from local.poller.lane import Lane
from local.poller.lanes import Lanes
from local.poller.outcome import Broken, Taken, TooLarge, Waits, outcome
from local.poller.pace import Pace
from local.poller.stations import Station


def record(partition: int, offset: int, size: int = 10) -> Record:
    return Record("t", partition, offset, 0, b"key", b"x" * size)


def lane(count: int) -> Lane:
    made = Lane(0, 0)
    for offset in range(count):
        made.add(batch.item(record(0, offset)))
    return made


@pytest.mark.parametrize("guilty", [{0}, {63}, {99}, {17, 18}, {0, 50, 99}, set()])
def test_taking_apart_finds_each_guilty_record_alone_and_sends_the_others_in_order(guilty: set[int]) -> None:
    one = lane(100)
    sent: list[int] = []
    stopped: list[int] = []
    one.broke(100, "it broke", 3, shared=True)
    requests = 0
    while one.waiting and requests < 200:
        count = one.step if one.suspects else len(one.waiting)
        offsets = range(one.first, one.first + count)
        requests += 1
        if guilty & set(offsets):
            one.broke(count, "it broke", 3, shared=False)
            if one.stopped:
                stopped.append(one.first)
                one.answered(1)  # somebody has it skipped
        else:
            sent += offsets
            one.answered(count)
    assert stopped == sorted(guilty)
    assert sent == [offset for offset in range(100) if offset not in guilty]
    assert not one.waiting
    assert requests <= 1 + len(guilty) * 20


def test_tries_count_only_for_a_record_by_itself_and_an_answer_forgives_them() -> None:
    one = lane(2)
    one.broke(1, "", 2, shared=True)
    one.broke(2, "", 2, shared=False)
    assert one.tries == 0
    one.broke(1, "", 2, shared=False)
    assert (one.tries, one.stopped) == (1, False)
    one.broke(1, "", 2, shared=False)
    assert (one.tries, one.stopped) == (2, True)
    one.answered(1)
    assert (one.tries, one.stopped, one.first) == (0, False, 1)


def test_no_request_of_many_partitions_is_over_a_limit_and_none_is_left_out() -> None:
    chance = random.Random(3)
    for _ in range(200):
        most, size = chance.randint(1, 60), chance.randint(500, 20_000)
        lanes = Lanes(Station("s", "http://s", "t", "g", max_records=most, max_bytes=size))
        parts = range(chance.randint(1, 12))
        lanes.keep([record(p, n, chance.randint(0, 200)) for p in parts for n in range(chance.randint(1, 30))], 0.0)
        seen: set[int] = set()
        for _ in parts:
            chosen = lanes.together(0.0)
            seen |= {one.partition for one in chosen}
            sent = {one.partition: list(one.waiting)[:count] for one, count in chosen.items()}
            body = batch.body("t", sent)
            assert chosen
            assert len(body) <= size
            assert sum(chosen.values()) <= most
            assert from_json(body) == [one.record for items in sent.values() for one in items]
        assert seen == set(parts)


def test_a_record_that_fits_by_a_byte_is_sent_and_one_byte_more_is_too_large() -> None:
    one = record(0, 0, 300)
    body = batch.body("t", {0: [batch.item(one)]})
    roomy, tight = Lanes(limited(len(body) + 11)), Lanes(limited(len(body) - 1))
    for lanes in (roomy, tight):
        lanes.keep([one], 0.0)
    assert [roomy.too_large(next(iter(roomy))), bool(roomy.together(0.0))] == [False, True]
    assert [tight.too_large(next(iter(tight))), bool(tight.together(0.0))] == [True, False]


def limited(size: int) -> Station:
    return Station("s", "http://s", "t", "g", max_bytes=size)


def test_a_partition_that_came_back_begins_anew_and_a_gap_is_no_reason_to_forget() -> None:
    lanes = Lanes(limited(10_000))
    lanes.keep([record(0, n) for n in range(5, 9)], 0.0)
    lanes.keep([record(0, 20)], 0.0)
    assert [one.record.offset for one in next(iter(lanes)).waiting] == [5, 6, 7, 8, 20]
    lanes.keep([record(0, 6)], 0.0)
    assert [one.record.offset for one in next(iter(lanes)).waiting] == [6]


def test_ten_tries_take_about_five_minutes_whether_they_fail_at_once_or_time_out() -> None:
    for took in (0.0, 30.0):
        waits = [pace.after_failure(Pace(), tries, False, took, 0.5) + took for tries in range(1, 10)]
        assert 240 <= sum(waits) <= 400


def test_waits_are_spread_and_grow_to_a_limit_and_a_station_gets_the_time_it_asked_for() -> None:
    waits = [pace.after_wait(Pace(), None, times, 0.5) for times in range(40)]
    assert waits == sorted(waits)
    assert waits[-1] == Pace().down_longest
    assert pace.after_wait(Pace(), 7, 0, 0.0) == 7
    assert 7 < pace.after_wait(Pace(), 7, 0, 1.0) < 8
    assert pace.after_wait(Pace(), 10**9, 0, 0.0) == Pace().retry_after_longest
    assert pace.spread(8, 0) == 6
    assert pace.spread(8, 1) == 10


SENT = {0: (5, 9), 3: (0, 2)}


def failures(*pairs: tuple[str, int]) -> bytes:
    named = [{"itemIdentifier": {"partition": partition, "offset": offset}} for partition, offset in pairs]
    return json.dumps({"batchItemFailures": named}).encode()


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (200, failures(), Taken({})),
        (200, failures(("t-0", 7)), Taken({0: 7})),
        (200, failures(("t-0", 8), ("t-0", 6), ("t-3", 0)), Taken({0: 6, 3: 0})),
        (200, failures(("t-1", 7)), Waits),  # a partition it was not given
        (200, failures(("t-0", 10)), Waits),  # an offset it was not given
        (200, b"", Waits),
        (200, b"{}", Waits),
        (200, b"ok", Waits),
        (202, b"null", Waits),
        (301, b"", Waits),
        (400, b"", Broken),
        (401, b"", Waits),
        (404, b"", Waits),
        (413, b"", TooLarge),
        (422, b"", Broken),
        (429, b"", Waits),
        (500, b"", Broken),
        (500, b'{"code": "internal"}', Broken),
        (500, b'{"code": "misconfigured"}', Waits),
        (502, b"<html>", Broken),
        (503, b"", Waits),
        (504, b"", Broken),
    ],
)
def test_what_an_answer_means(status: int, body: bytes, kind: object) -> None:
    found = outcome(status, "", body, "t", SENT)
    assert found == kind if isinstance(kind, Taken) else type(found) is kind


def test_a_station_says_when_to_come_again() -> None:
    assert isinstance(found := outcome(503, "7", b"", "t", SENT), Waits)
    assert found.seconds == 7
    assert isinstance(found := outcome(503, "Wed, 21 Oct 2026 07:28:00 GMT", b"", "t", SENT), Waits)
    assert found.seconds is None


def test_the_environment_says_what_is_fed_and_what_is_woken() -> None:
    plan = stations.read(
        {
            "POLLER_STATIONS": "indexer=http://127.0.0.1:1, archiver=https://archive.example/run",
            "POLLER_SCHEDULES": "tick=https://tick.example",
            "POLLER_TIMEOUT_SECONDS": "40",
        }
    )
    indexer, archiver = plan.stations
    assert (indexer.url, indexer.topic, indexer.group) == ("http://127.0.0.1:1", "signals.raw.v1", "indexer-group")
    assert (indexer.max_records, indexer.window_seconds, indexer.timeout_seconds) == (1000, 0, 40)
    assert indexer.max_bytes < 1_000_000
    assert (archiver.max_bytes, archiver.window_seconds, archiver.timeout_seconds) == (5_000_000, 60, 40)
    assert plan.schedules == {"tick": "https://tick.example"}
    assert set(stations.read({"POLLER_SCHEDULES": "here"}).schedules) == set(stations.SECONDS)


@pytest.mark.parametrize(
    ("environ", "sentence"),
    [
        ({}, "there is nothing to do"),
        ({"POLLER_STATIONS": "indexr=http://a"}, "'indexr' is no station; there are indexer"),
        ({"POLLER_STATIONS": "indexer=127.0.0.1:80"}, "must read name=http"),
        ({"POLLER_STATIONS": "http://a"}, "must read name=http"),
        ({"POLLER_STATIONS": "indexer=http://a,indexer=http://b"}, "named twice"),
        ({"POLLER_STATIONS": "indexer=http://a", "POLLER_MAX_BYTES": "1MB"}, "whole number from 10000"),
        ({"POLLER_SCHEDULES": "here", "POLLER_PORT": "99999"}, "POLLER_PORT"),
    ],
)
def test_a_mistake_in_the_settings_is_one_sentence(environ: dict[str, str], sentence: str) -> None:
    with pytest.raises(Misconfigured, match=sentence):
        stations.read(environ)
