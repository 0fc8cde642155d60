"""Dead letters at the command line, on both streams: sent back they are counted once, and each leaves who and why."""

import json
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from common import topics
from common.clients.postgres.connection import Connection
from common.clients.stream import dead, retried
from common.edge.records import Record, Refused
from common.events.envelope import encode
from local import __main__ as verbs
from local import dead as commands
from local import skip
from tests.cases import Step
from tests.counting import create_project, envelope
from tests.pollers import Room, key_in
from tests.streams import wait_for

Said = tuple[int, str, str]
Dead = Callable[..., Said]


@pytest.fixture(params=["postgres", "kafka"])
def room(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Room]:
    made = Room(request.param, tmp_path)
    yield made
    made.close()


@pytest.fixture
def conn(room: Room) -> Iterator[Connection]:
    made = Connection(room.settings.database)
    create_project(made, "shop")
    yield made
    made.close()


@pytest.fixture
def call(room: Room, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Dead:
    """`python -m local dead …` with nothing but the connection variables."""
    for name, value in room.environ.items():
        monkeypatch.setenv(name, value)

    def said(*words: str) -> Said:
        capsys.readouterr()
        code = verbs.main(["dead", *words])
        return code, *capsys.readouterr()

    return said


def publish(room: Room, numbers: range, partition: int, **fields: object) -> None:
    values = [encode(envelope(n, Step("event", 10), "error", "shop", **fields)) for n in numbers]
    room.stream.publish(room.topic, [(key_in(partition, room.partitions), value) for value in values]).wait()


def counted(conn: Connection) -> int:
    [[sum_]] = conn.run("SELECT coalesce(sum(value), 0)::int FROM activity")
    return int(sum_)


def bury(room: Room, station: str, number: int, code: str = "a_reason", detail: str = "") -> dead.Letter:
    """The letter of an event of this room's topic."""
    value = encode(envelope(number, Step("event", 10), "error", "shop"))
    record = Record(room.topic, 1, number, 5, key_in(1, room.partitions), value)
    letter = dead.letter(station, Refused(record, code, detail), datetime.now(UTC))
    dead.publish(room.stream, [letter, letter])  # as when its batch came twice
    return letter


def test_a_record_that_kills_the_engine_is_skipped_and_after_the_mend_counted_once(
    room: Room, conn: Connection, call: Dead
) -> None:
    station = room.probe("tests.fragile_engine")
    feeder = room.feed(station.url, name="incident_engine", group=topics.INCIDENT_ENGINE)
    publish(room, range(30), 1)
    wait_for(lambda: counted(conn) == 30, 20)
    publish(room, range(100, 101), 1, message="poison")
    wait_for(lambda: bool(feeder.troubles()), 20)
    publish(room, range(200, 230), 0)
    publish(room, range(300, 330), 2)
    wait_for(lambda: counted(conn) == 90, 20)  # no other partition waits for it
    [trouble] = feeder.troubles()

    began = time.monotonic()
    skip.skip(conn, "incident_engine", 1, int(str(trouble["offset"])), "it kills the engine")
    assert time.monotonic() - began < 5
    assert counted(conn) == 90
    wait_for(lambda: feeder.troubles() == [], 5)
    # The skipped record was its partition's last: even so the gate of the clock jobs knows that all is done with.
    places = conn.run("SELECT partition, next FROM progress WHERE topic = :topic", topic=room.topic)
    highs = {part: high for part, (_, high) in room.stream.ends(room.topic).items()}
    assert {row[0]: row[1] for row in places} == highs

    [letter] = room.letters(1)
    assert call("list", "--reason", "skipped", "--since", "1h")[1].count(letter.id) == 1
    assert "poison" in call("show", letter.id[:13])[1]
    station.tell("mended")
    assert call("retry", letter.id, "--why", "it is mended")[0] == 0
    wait_for(lambda: counted(conn) == 91, 20)
    code, out, _ = call("retry", letter.id, "--why", "once more")
    assert code == 1
    assert "it was retried by operator" in out
    assert "it is mended" in out

    conn.run("DELETE FROM dead_letter_ends")  # as after a crash between the sending and the row
    assert call("retry", letter.id, "--why", "was it sent?")[0] == 0
    publish(room, range(101, 102), 1)
    wait_for(lambda: counted(conn) == 92, 20)
    assert conn.run("SELECT count(*), sum(event_count) FROM incidents") == [[1, 92]]


def test_what_only_search_refused_is_not_counted_again(room: Room, conn: Connection, call: Dead) -> None:
    station = room.probe("tests.fragile_engine")
    room.feed(station.url, name="incident_engine", group=topics.INCIDENT_ENGINE)
    publish(room, range(10), 1)
    wait_for(lambda: counted(conn) == 10, 20)
    bury(room, "indexer", 7)
    assert call("retry", "--station", "indexer", "--why", "the mapping is mended")[0] == 0
    publish(room, range(10, 11), 1)
    wait_for(lambda: counted(conn) == 11, 20)
    high = room.stream.ends(room.topic)[1][1]
    assert high == 12
    assert conn.run("SELECT next, missed FROM progress WHERE partition = 1") == [[high, 0]]
    *_, back, _ = room.stream.scan(room.topic)
    [opened] = retried.for_station("indexer", [back])
    assert opened.value == encode(envelope(7, Step("event", 10), "error", "shop"))


def test_letters_are_found_shown_and_dropped_and_each_leaves_who_when_and_why(
    room: Room, conn: Connection, call: Dead
) -> None:
    one, two = bury(room, "indexer", 1, "too_deep", "\x1b[2Jdetail"), bury(room, "archiver", 2)
    mine = ("--since", "1h", "--station", "indexer")
    code, out, _ = call("list", *mine, "--json")
    row = next(row for row in map(json.loads, out.splitlines()) if row["id"] == one.id)
    assert code == 0
    assert (row["state"], row["code"], row["topic"], row["partition"], row["offset"]) == (
        *("dead", "too_deep", room.topic, 1),
        1,
    )
    listed = call("list", *mine)[1]
    assert one.id in listed
    assert two.id not in listed
    assert "\x1b" not in listed
    shown = json.loads(call("show", one.id, "--json")[1])
    assert json.loads(shown["value"])["message"] == "event 1"

    assert call("drop", one.id, "--why", "a test's")[0] == 0
    assert one.id not in call("list", *mine)[1]
    everything = call("list", *mine, "--all")[1]
    assert "dropped by operator" in everything
    assert "a test's" in everything
    for deed in ("drop", "retry"):
        code, out, _ = call(deed, one.id, "--why", "again")
        assert code == 1
        assert "it was dropped by operator" in out
    assert conn.run("SELECT how, why FROM dead_letter_ends WHERE letter = :letter", letter=one.id) == [
        ["dropped", "a test's"]
    ]
    assert room.stream.ends(room.topic)[1] == (0, 0)


def test_of_two_who_send_a_letter_back_at_the_same_moment_one_is_told_so(room: Room, conn: Connection) -> None:
    letter = bury(room, "indexer", 1)
    assert commands.retry(conn, room.stream, letter, "mine")
    assert not commands.retry(conn, room.stream, letter, "no, mine")
    assert not commands.drop(conn, room.stream, letter, "nobody's")
    assert room.stream.ends(room.topic)[1] == (0, 1)
    assert conn.run("SELECT how, why FROM dead_letter_ends") == [["retried", "mine"]]


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (("retry", "--why", "x"), "retry wants ids, --station"),
        (("drop", "--station", "indexer"), "--why must say why"),
        (("show",), "the id of one letter"),
        (("show", "0" * 36), "No letters are called"),
        (("drop", "--station", "nobody", "--why", "x"), "No such letter is dead"),
        (("list", "--since", "soon"), "how long ago: 7d"),
    ],
)
def test_a_mistake_is_one_sentence_that_helps(call: Dead, conn: Connection, words: tuple[str, ...], hint: str) -> None:
    code, _, err = call(*words)
    assert code == 2
    assert hint in err
    assert len(err.splitlines()) == 1
