"""What the stream may do to the poller: go away, move partitions, lose records, be another one."""

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from common import settings
from common.clients.postgres.connection import Connection
from common.clients.stream import stream_for
from local.servers.pooler import PoolerServer
from tests import servers
from tests.pollers import ALL_TAKEN, Answer, Room, numbered, wait_for_done
from tests.streams import wait_for


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    made = Room("postgres", tmp_path)
    yield made
    made.close()


@pytest.mark.parametrize("variable", ["KAFKA_BROKERS", "DATABASE_URL"])
def test_a_stream_that_was_never_there_is_said_and_a_stop_is_heard(room: Room, variable: str) -> None:
    nobody = {"KAFKA_BROKERS": "127.0.0.1:1", "DATABASE_URL": "postgresql://a:b@127.0.0.1:1/c"}
    feeder = room.feed("http://127.0.0.1:1", stream=stream_for(settings.read({variable: nobody[variable]})))
    wait_for(lambda: "the stream" in feeder.waits_for(), 10)
    feeder.stopping.set()
    wait_for(lambda: feeder.left, 10)


def test_a_partition_that_was_lost_in_the_middle_of_a_request_loses_no_record(
    room: Room, capfd: pytest.CaptureFixture[str]
) -> None:
    gate = threading.Event()
    conn = Connection(room.settings.database)

    def answer(_: dict[str, Any]) -> Answer:
        gate.wait(5)
        return ALL_TAKEN

    station = room.scripted(answer)
    feeder = room.feed(station.url, max_records=10)
    wait_for(lambda: len(feeder.positions()) == 3, 10)
    room.publish(numbered(60))
    wait_for(lambda: bool(station.bodies), 10)
    conn.run("UPDATE stream_lease SET epoch = epoch + 1 WHERE topic = :topic AND part = 1", topic=room.topic)
    gate.set()
    wait_for(lambda: feeder.positions() == {0: 20, 1: 20, 2: 20}, 15)
    assert sorted(set(station.all_offsets(1))) == list(range(20))
    committed = "SELECT array_agg(next ORDER BY part)::text FROM stream_lease WHERE topic = :topic"
    wait_for(lambda: conn.run(committed, topic=room.topic) == [["{20,20,20}"]], 10)
    conn.close()


def test_a_topic_made_anew_stops_its_partition_with_the_remedy_and_the_others_go_on(
    room: Room, capfd: pytest.CaptureFixture[str]
) -> None:
    station = room.scripted(lambda _: ALL_TAKEN)
    conn = Connection(room.settings.database)
    room.publish(numbered(3))
    first = room.feed(station.url)
    wait_for(lambda: first.positions() == {0: 1, 1: 1, 2: 1}, 10)
    first.stopping.set()
    wait_for(lambda: first.left, 10)
    conn.run("UPDATE stream_lease SET next = 99 WHERE topic = :topic AND part = 0", topic=room.topic)
    conn.close()
    room.publish(numbered(9))
    feeder = room.feed(station.url)
    wait_for(lambda: {1: 4, 2: 4}.items() <= feeder.positions().items(), 10)
    assert [one["partition"] for one in feeder.troubles()] == [0]
    assert station.offsets(0)[-1] == []
    assert "UPDATE stream_lease SET next = 0" in capfd.readouterr().err


def test_a_stream_that_goes_away_is_said_and_waited_for(room: Room, capfd: pytest.CaptureFixture[str]) -> None:
    door = PoolerServer(servers.home() / "servers" / "door", servers.postgres())
    door.start()
    station = room.scripted(lambda _: ALL_TAKEN)
    room.settings = settings.read({"DATABASE_URL": door.url(room.settings.database.database)})
    stream = stream_for(room.settings)
    feeder = room.feed(station.url, stream=stream)
    room.publish(numbered(30))
    wait_for(lambda: feeder.positions() == {0: 10, 1: 10, 2: 10}, 10)
    door.stop()
    wait_for(lambda: "the stream" in feeder.waits_for(), 10)
    room.publish(numbered(30))
    door.start()
    wait_for(lambda: feeder.positions() == {0: 20, 1: 20, 2: 20}, 15)
    wait_for(lambda: feeder.waits_for() == {}, 5)
    assert all(sorted(set(station.all_offsets(part))) == list(range(20)) for part in range(3))
    said = capfd.readouterr().err
    assert "waits for the stream" in said
    assert "goes on: the stream answers" in said
    feeder.stopping.set()
    wait_for(lambda: feeder.left, 10)
    stream.close()
    door.stop()


def test_a_topic_nobody_made_ends_the_poller_with_one_sentence(room: Room) -> None:
    room.topic = "nobody-made-this"
    feeder = room.feed("http://127.0.0.1:1")
    wait_for(lambda: feeder.stopping.is_set(), 10)
    assert "migrations.apply" in str(feeder.wrong)


def test_records_deleted_before_they_were_read_are_said_and_the_rest_goes_on(
    room: Room, capfd: pytest.CaptureFixture[str]
) -> None:
    probe = room.probe()
    room.publish(numbered(10), partition=0)
    feeder = room.feed(probe.url)
    wait_for_done(probe, 10)
    feeder.stopping.set()
    wait_for(lambda: feeder.left, 10)
    room.publish(numbered(20), partition=0)
    room.engine.delete_before(room.topic, 15)
    room.feed(probe.url)
    wait_for_done(probe, 25)
    assert probe.done() == {0: [*range(10), *range(15, 30)]}
    assert "offsets 10 to 14 were deleted" in capfd.readouterr().err
