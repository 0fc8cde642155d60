"""What stations and platforms may answer, and what then happens to the records; on the log in Postgres."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from itertools import chain, pairwise
from pathlib import Path
from typing import Any

import pytest

from common.clients.postgres import stops
from common.clients.postgres.connection import Connection
from common.clients.postgres.stops import Stop
from common.errors import Misconfigured
from local import skip
from local.servers import process
from tests.pollers import ALL_TAKEN, KEY, Answer, Room, numbered, wait_for_done
from tests.streams import wait_for


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    made = Room("postgres", tmp_path)
    yield made
    made.close()


@pytest.mark.parametrize(
    "refusal",
    [
        (401, {}, b'{"code": "internal_key"}'),  # the wrong key
        (404, {}, b"no such page"),  # the wrong address
        (429, {"retry-after": "0"}, b""),  # Cloud Run has no instance free
        (302, {"location": "/login"}, b""),
        (200, {}, b"<html>welcome</html>"),  # somebody else's server
        (200, {}, b""),
        (204, {}, b""),
        (200, {}, b'{"batchItemFailures": [{"itemIdentifier": {"partition": "other-0", "offset": 0}}]}'),
        (200, {}, b'{"batchItemFailures": [{"itemIdentifier": "15"}]}'),
        (500, {}, b'{"code": "misconfigured"}'),  # a batch of another topic
    ],
)
def test_an_answer_that_says_nothing_about_the_records_makes_all_of_them_wait(room: Room, refusal: Answer) -> None:
    station = room.scripted(lambda _: refusal if len(station.bodies) <= 2 else ALL_TAKEN)
    room.publish(numbered(9))
    feeder = room.feed(station.url)
    wait_for(lambda: feeder.positions() == {0: 3, 1: 3, 2: 3}, 10)
    assert station.offsets(0)[:3] == [[0, 1, 2]] * 3
    assert set(station.keys) == {KEY}


def test_a_failing_batch_is_taken_apart_down_to_the_record_and_the_rest_arrives_in_order(room: Room) -> None:
    def answer(body: dict[str, Any]) -> Answer:
        offsets = [one["offset"] for one in body["records"].get(f"{room.topic}-1", [])]
        return (500, {}, b"") if 37 in offsets else ALL_TAKEN

    station = room.scripted(answer)
    room.publish(numbered(150))
    feeder = room.feed(station.url)
    wait_for(lambda: bool(feeder.troubles()), 10)
    assert [(one["partition"], one["offset"], one["tries"]) for one in feeder.troubles()] == [(1, 37, 3)]
    assert feeder.positions() == {0: 50, 1: 37, 2: 50}
    taken = [offsets for offsets in station.offsets(1) if offsets and 37 not in offsets]
    assert list(chain.from_iterable(taken)) == list(range(37))
    # One batch, each partition, six halves; then the record by itself.
    assert len([offsets for offsets in station.offsets(1) if 37 in offsets]) <= 2 + 6 + 3 + 1


def test_who_was_only_in_the_same_request_is_not_blamed(room: Room) -> None:
    station = room.scripted(lambda body: (500, {}, b"") if f"{room.topic}-1" in body["records"] else ALL_TAKEN)
    room.publish(numbered(3))
    feeder = room.feed(station.url, poison_tries=1)
    wait_for(lambda: feeder.positions() == {0: 1, 1: 0, 2: 1} and bool(feeder.troubles()), 10)
    with closing(Connection(room.settings.database)) as conn:
        wait_for(lambda: bool(stops.standing(conn)), 5)
        assert conn.run("SELECT part, at_offset, ended_at FROM poller_stops") == [[1, 0, None]]


def test_what_comes_behind_a_stopped_record_is_not_gathered_in_memory(room: Room) -> None:
    station = room.scripted(lambda body: (500, {}, b"") if f"{room.topic}-1" in body["records"] else ALL_TAKEN)
    room.publish(numbered(1), partition=1)
    feeder = room.feed(station.url)
    wait_for(lambda: bool(feeder.troubles()), 10)
    for part in (1, 0):
        room.publish(numbered(12_000), partition=part)
    wait_for(lambda: feeder.positions() == {0: 12_000, 1: 0, 2: 0}, 20)
    assert sum(len(lane.waiting) for lane in feeder._lanes) < 5000


def test_a_platform_with_a_smaller_limit_gets_smaller_batches_and_what_is_too_large_for_it_is_buried(
    room: Room,
) -> None:
    def answer(_: dict[str, Any]) -> Answer:
        return (413, {}, b"too much") if station.sizes[-1] > 2000 else ALL_TAKEN

    station = room.scripted(answer)
    room.publish([{"n": n, "x": "y" * (3000 if n == 5 else 100)} for n in range(20)], partition=0)
    feeder = room.feed(station.url)
    wait_for(lambda: feeder.positions().get(0) == 20, 15)
    [letter] = room.letters(1)
    assert (letter.offset, letter.reason.code) == (5, "too_large")
    assert feeder.troubles() == []


def test_no_request_is_over_the_limits(room: Room) -> None:
    station = room.scripted(lambda _: ALL_TAKEN)
    room.publish([{"n": n, "x": "y" * (n * 37 % 900)} for n in range(600)])
    feeder = room.feed(station.url, max_bytes=10_000, max_records=20)
    wait_for(lambda: feeder.positions() == {0: 200, 1: 200, 2: 200}, 15)
    assert max(station.sizes) <= 10_000
    assert max(sum(map(len, body["records"].values())) for body in station.bodies) <= 20
    assert len(station.bodies) < 120


def test_records_come_in_the_shape_of_aws(room: Room) -> None:
    station = room.scripted(lambda _: ALL_TAKEN)
    room.engine.stream().publish(room.topic, [(None, b"\xff\x00"), (None, None)]).wait()
    feeder = room.feed(station.url)
    wait_for(lambda: 2 in feeder.positions().values(), 10)
    [(name, records)] = [pair for body in station.bodies for pair in body["records"].items()]
    assert name == f"{room.topic}-{records[0]['partition']}"
    assert [one["value"] for one in records] == ["/wA=", None]
    assert {"topic", "partition", "offset", "timestamp", "key", "value", "headers"} <= set(records[0])


def test_a_station_that_is_not_there_yet_is_waited_for(room: Room, capfd: pytest.CaptureFixture[str]) -> None:
    port = process.free_port()
    room.publish(numbered(3))
    feeder = room.feed(f"http://127.0.0.1:{port}")
    wait_for(lambda: "the station" in feeder.waits_for(), 10)
    room.scripted(lambda _: ALL_TAKEN, port)
    wait_for(lambda: feeder.positions() == {0: 1, 1: 1, 2: 1}, 10)
    assert "Connection refused" in capfd.readouterr().err


def test_a_window_gathers_what_comes_until_it_is_full_or_over(room: Room) -> None:
    station = room.scripted(lambda _: ALL_TAKEN)
    feeder = room.feed(station.url, window_seconds=1.5, max_records=40)
    wait_for(lambda: len(feeder.positions()) == 3, 10)
    for _ in range(5):
        room.publish(numbered(6))
        time.sleep(0.1)
    wait_for(lambda: feeder.positions() == {0: 10, 1: 10, 2: 10}, 10)
    assert len(station.bodies) == 1
    room.publish(numbered(40), partition=0)  # full: at once
    wait_for(lambda: len(station.bodies) == 2, 1.2)


def test_only_a_record_that_stands_can_be_skipped(room: Room) -> None:
    environ = {"DATABASE_URL": room.database_url}
    with pytest.raises(Misconfigured, match="No poller tells of any"):
        skip.main(environ, "probe", 1, 5, "I think so")
    with pytest.raises(Misconfigured, match="--why"):
        skip.main(environ, "probe", 1, 5, " ")


def test_a_skip_does_not_wait_for_a_try_under_way_and_its_late_answer_is_nobodys(room: Room) -> None:
    gates = [threading.Event(), threading.Event()]

    def answer(body: dict[str, Any]) -> Answer:
        if station.all_offsets(0).count(0) < 3:
            return 500, {}, b""
        gates[body["records"][f"{room.topic}-0"][0]["offset"]].wait(20)
        return ALL_TAKEN

    station = room.scripted(answer)
    room.publish(numbered(2), partition=0)
    feeder = room.feed(station.url, max_records=1, timeout_seconds=20)
    wait_for(lambda: station.all_offsets(0) == [0, 0, 0], 10)
    assert skip.main({"DATABASE_URL": room.database_url}, "probe", 0, 0, "it hangs") == 0
    wait_for(lambda: station.all_offsets(0) == [0, 0, 0, 1], 10)
    gates[0].set()
    wait_for(lambda: feeder._sender.under_way == 1, 10)  # that answer was heard
    assert feeder.positions()[0] == 1
    gates[1].set()
    wait_for(lambda: feeder.positions()[0] == 2, 10)


def test_a_stopped_partition_goes_on_by_itself_when_the_station_is_mended(room: Room) -> None:
    probe = room.probe()
    room.publish([{"n": 0, "do": "bug"}, {"n": 1}], partition=2)
    feeder = room.feed(probe.url)
    wait_for(lambda: bool(feeder.troubles()), 10)
    assert probe.done() == {}
    probe.tell("mended")
    wait_for_done(probe, 2)
    assert probe.done() == {2: [0, 1]}
    conn = Connection(room.settings.database)
    ended = "SELECT ended_how, skip_by FROM poller_stops"
    wait_for(lambda: conn.run(ended) == [["answered", None]], 5)
    conn.close()


def test_a_stop_of_a_poller_that_is_gone_is_over_when_the_next_gets_past_it(room: Room) -> None:
    with closing(Connection(room.settings.database)) as conn:
        for part, offset in ((0, 1), (0, 2), (1, 0)):
            stops.keep(conn, Stop("probe", room.topic, part, offset, 10, "it crashes"))
        room.publish(numbered(2), partition=0)
        feeder = room.feed(room.scripted(lambda _: ALL_TAKEN).url)
        wait_for(lambda: feeder.positions().get(0) == 2, 10)
        ended = "SELECT part, at_offset, ended_how FROM poller_stops ORDER BY 1, 2"
        wait_for(lambda: conn.run(ended) == [[0, 1, "answered"], [0, 2, None], [1, 0, None]], 5)


def test_the_others_do_not_wait_for_a_record_that_hangs(room: Room) -> None:
    ended = threading.Event()

    def answer(body: dict[str, Any]) -> Answer:
        if f"{room.topic}-0" in body["records"]:
            ended.wait(10)
        return ALL_TAKEN

    station = room.scripted(answer)
    room.publish(numbered(1), partition=0)
    feeder = room.feed(station.url, timeout_seconds=1.5)
    wait_for(lambda: len(station.all_offsets(0)) == 2, 10)  # at the second try it is known
    room.publish(numbered(20), partition=1)
    wait_for(lambda: feeder.positions()[1] == 20, 10)
    assert len(station.all_offsets(0)) == 2
    wait_for(lambda: bool(feeder.troubles()), 10)
    ended.set()
    wait_for(lambda: feeder.positions()[0] == 1, 10)


def test_while_the_world_is_down_the_batch_waits_whole_as_long_as_it_was_asked_to(room: Room) -> None:
    probe = room.probe()
    probe.tell("down")
    room.publish(numbered(30))
    feeder = room.feed(probe.url)
    wait_for(lambda: len(probe.batches("got")) >= 2, 10)
    assert "the station" in feeder.waits_for()
    probe.untell("down")
    wait_for_done(probe, 30)
    got = probe.batches("got")
    assert all(after.at - before.at >= 1 for before, after in pairwise(got))
    assert len(got[-1].records) == 30
    wait_for(lambda: feeder.waits_for() == {}, 5)
    assert probe.done() == {part: list(range(10)) for part in range(3)}


def again_from(partition: int, offset: int, topic: str) -> bytes:
    return json.dumps(
        {"batchItemFailures": [{"itemIdentifier": {"partition": f"{topic}-{partition}", "offset": offset}}]}
    ).encode()


def test_what_a_station_names_comes_again_from_there_and_the_other_partitions_go_on(room: Room) -> None:
    def answer(body: dict[str, Any]) -> Answer:
        offsets = [one["offset"] for one in body["records"].get(f"{room.topic}-1", [])]
        if 3 in offsets and len(station.bodies) < 4:
            return 200, {}, again_from(1, 3, room.topic)
        return ALL_TAKEN

    station = room.scripted(answer)
    room.publish(numbered(15))
    feeder = room.feed(station.url)
    wait_for(lambda: feeder.positions() == {0: 5, 1: 5, 2: 5}, 15)
    of_one = [offsets for offsets in station.offsets(1) if offsets]
    assert of_one[0][-1] == 4
    assert of_one[1:]
    assert all(offsets == [3, 4] for offsets in of_one[1:])
    for other in (0, 2):
        assert station.all_offsets(other) == [0, 1, 2, 3, 4]
