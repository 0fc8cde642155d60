"""Replay as a process before an ingest of the test's own: order, pace, interruption, and what it refuses to send."""

import json
import signal
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from common import settings
from common.clients import archive
from common.clients.objects import objects_for
from common.edge.records import Record
from local.replay.journal import FOLDER, Journal, Progressed
from local.replay.play import Pace, Play
from local.replay.reading import Line
from local.sending.courier import Courier
from local.sending.tally import Tally
from local.sending.target import Target, Unusable
from tests.stations.test_archiver import bucket
from tests.stub_ingest import Batch, Said, Stub, ended, run, start, taken

KNOWING = "--i-know-it-counts-twice"
AT = datetime(2026, 3, 2, 9, tzinfo=UTC)


@pytest.fixture
def stub() -> Iterator[Stub]:
    made = Stub()
    yield made
    made.close()


def recorded(folder: Path, seconds: list[float], name: str = "a.ndjson", **fields: Any) -> Path:
    times = [(AT + timedelta(seconds=one)).isoformat() for one in seconds]
    lines = [{"event_type": "error", "message": f"{n}", "occurred_at": at} | fields for n, at in enumerate(times)]
    (folder / name).write_text("".join(json.dumps(one) + "\n" for one in lines))
    return folder / name


def replay(path: Path, *words: str) -> list[str]:
    return ["local.replay", str(path), KNOWING, *words]


def messages(stub: Stub) -> list[str]:
    return [event["message"] for event in stub.events]


def test_every_line_comes_once_in_the_order_of_the_file(stub: Stub, tmp_path: Path) -> None:
    path = recorded(tmp_path, [5, 1, 9, 3] * 300)
    done = run(replay(path, "--batch", "100"), stub.environ)
    assert done.code == 0, done.err
    assert messages(stub) == [f"{number}" for number in range(1200)]
    assert done.report["events"] == {"sent": 1200, "accepted": 1200, "refused": 0, "given_up": 0}
    assert len({event["event_id"] for event in stub.events}) == 1200


def test_a_server_that_fails_in_between_gets_the_same_order(stub: Stub, tmp_path: Path) -> None:
    def busy(number: int, batch: Batch) -> Said:
        return Said(503, b"{}") if number in (2, 3) else taken(number, batch)

    stub.script = busy
    done = run(replay(recorded(tmp_path, list(range(300))), "--batch", "100"), stub.environ)
    assert (done.code, done.report["retries"]) == (0, 2)
    assert stub.batches[1] == stub.batches[2] == stub.batches[3]
    assert [batch[0]["message"] for batch in stub.batches] == ["0", "100", "100", "100", "200"]


LARGE: dict[str, Any] = {"payload": {"text": "x" * 60_000}}


def test_no_request_is_larger_than_ingest_takes(stub: Stub, tmp_path: Path) -> None:
    done = run(replay(recorded(tmp_path, list(range(40)), **LARGE)), stub.environ)
    assert (done.code, done.report["events"]["accepted"]) == (0, 40)
    assert messages(stub) == [f"{number}" for number in range(40)]
    assert max(len(json.dumps(batch)) for batch in stub.batches) < 1024 * 1024


def test_what_ingest_finds_too_large_goes_in_halves_and_only_what_is_so_by_itself_is_refused(
    stub: Stub, tmp_path: Path
) -> None:
    def narrow(number: int, batch: Batch) -> Said:
        return Said(413, b'{"code": "too_large"}') if len(json.dumps(batch)) > 200_000 else taken(number, batch)

    stub.script = narrow
    path = recorded(tmp_path, list(range(12)), **LARGE)
    lines = path.read_text().splitlines()
    lines[5] = json.dumps(json.loads(lines[5]) | {"payload": {"text": "x" * 210_000}})
    path.write_text("\n".join(lines))
    done = run(replay(path), stub.environ)
    assert (done.code, done.report["events"]) == (1, {"sent": 12, "accepted": 11, "refused": 1, "given_up": 0})
    came = [event["message"] for batch in stub.batches if len(json.dumps(batch)) <= 200_000 for event in batch]
    assert came == [f"{number}" for number in range(12) if number != 5]


def test_times_are_kept_or_moved_by_whole_minutes_so_that_the_last_is_now(stub: Stub, tmp_path: Path) -> None:
    path = recorded(tmp_path, [0, 30.25, 90])
    run(replay(path), stub.environ)
    assert [event["occurred_at"] for event in stub.events] == [
        (AT + timedelta(seconds=s)).isoformat() for s in (0, 30.25, 90)
    ]
    stub.batches.clear()
    assert run(replay(path, "--shift"), stub.environ).code == 0
    times = [datetime.fromisoformat(event["occurred_at"]) for event in stub.events]
    assert [at - times[0] for at in times] == [timedelta(seconds=s) for s in (0, 30.25, 90)]
    assert (times[0] - AT) % timedelta(minutes=1) == timedelta()
    assert timedelta() <= datetime.now(UTC) - times[-1] < timedelta(minutes=2)


def test_ids_are_new_unless_it_is_told_to_keep_them(stub: Stub, tmp_path: Path) -> None:
    theirs = "00000000-0000-4000-8000-000000000001"
    path = recorded(tmp_path, [0, 1], event_id=theirs)
    for words in ([], ["--keep-ids"]):
        assert run(replay(path, *words), stub.environ).code == 0
    [[one, repeat], kept] = stub.batches
    assert one["event_id"] == repeat["event_id"] != theirs
    assert [event["event_id"] for event in kept] == [theirs, theirs]


def test_the_speed_is_kept(stub: Stub, tmp_path: Path) -> None:
    path = recorded(tmp_path, [0, 0, 10, 5, 20])  # the fourth is late, and comes with the third
    assert run(replay(path, "--speed", "20"), stub.environ).code == 0
    assert [[event["message"] for event in batch] for batch in stub.batches] == [["0", "1"], ["2", "3"], ["4"]]
    assert [later - stub.times[0] >= wait for later, wait in zip(stub.times[1:], (0.45, 0.95), strict=True)] == [
        True,
        True,
    ]


@pytest.mark.parametrize("speed", ["100", "max"])
def test_an_interrupted_one_goes_on_where_it_was_with_the_same_ids(stub: Stub, tmp_path: Path, speed: str) -> None:
    def slow(number: int, batch: Batch) -> Said:
        time.sleep(0.1)
        return taken(number, batch)

    stub.script = slow
    path = recorded(tmp_path, [float(n) for n in range(1000)])
    words = replay(path, "--batch", "50", "--speed", speed, "--shift")
    running = start(words, stub.environ)
    stub.wait_for(3)
    running.send_signal(signal.SIGINT)
    first = ended(running)
    assert first.code == 130, first.err
    assert "--resume goes on from here" in first.err
    came = len(stub.events)
    assert 0 < came < 1000
    stub.script = taken
    assert first.report["ended_at_line"] == came

    second = run(replay(path, "--batch", "50", "--resume"), stub.environ)
    assert second.code == 0, second.err
    assert (second.report["began_at_line"], second.report["run"]) == (came, first.report["run"])
    assert messages(stub) == [f"{number}" for number in range(1000)]
    times = [datetime.fromisoformat(event["occurred_at"]) for event in stub.events]
    assert [at - times[0] for at in times] == [timedelta(seconds=n) for n in range(1000)]
    third = run(replay(path, "--resume"), stub.environ)
    assert (third.code, "say it without --resume" in third.err) == (2, True)


def test_one_that_was_killed_sends_little_again_and_that_under_the_same_ids(stub: Stub, tmp_path: Path) -> None:
    path = recorded(tmp_path, [float(n) for n in range(2000)])
    running = start(replay(path, "--batch", "10", "--speed", "400"), stub.environ)
    stub.wait_for(40)
    running.kill()
    ended(running)
    other = run(replay(path, "--resume", "--keep-ids"), stub.environ)
    assert (other.code, "begun without --keep-ids" in other.err) == (2, True)
    assert run(replay(path, "--resume"), stub.environ).code == 0
    ids = {event["message"]: set[str]() for event in stub.events}
    for event in stub.events:
        ids[event["message"]].add(event["event_id"])
    assert (len(ids), {len(each) for each in ids.values()}) == (2000, {1})


def test_broken_lines_stop_it_before_anything_is_sent_or_are_left_out(stub: Stub, tmp_path: Path) -> None:
    path = recorded(tmp_path, [0, 1, 2])
    path.write_text(path.read_text() + "oops\n")
    done = run(replay(path), stub.environ)
    assert (done.code, stub.batches) == (2, [])
    assert f"{path}:4: " in done.err
    done = run(replay(path, "--broken", "skip"), stub.environ)
    assert (done.code, len(stub.events), done.report["broken_lines"]) == (0, 3, 1)


def test_it_loops_with_new_ids_until_it_is_told_to_stop(stub: Stub, tmp_path: Path) -> None:
    running = start(replay(recorded(tmp_path, [0, 1, 2]), "--loop"), stub.environ)
    stub.wait_for(4)
    running.send_signal(signal.SIGINT)
    done = ended(running)
    assert (done.code, done.report["rounds"] >= 4) == (130, True)
    assert len({event["event_id"] for event in stub.events}) == len(stub.events)


def test_an_archive_in_object_storage_is_replayed_in_its_order(stub: Stub, objects_url: str, tmp_path: Path) -> None:
    environ = bucket(objects_url, S3_PREFIX="old/")
    values = recorded(tmp_path, list(range(60))).read_bytes().splitlines()
    where = objects_for(settings.read(environ))
    records = [Record("t", n % 3, n, 1_772_366_400_000 + n, b"k", value) for n, value in enumerate(values)]
    for first in (0, 30):
        archive.write(where, records[first : first + 30])
    where.close()
    done = run(["local.replay", f"s3://{environ['S3_BUCKET']}/old/", KNOWING], stub.environ | environ)
    assert done.code == 0, done.err
    assert sorted(map(int, messages(stub))) == list(range(60))
    for partition in range(3):  # of each partition in its order
        own = [int(message) for message in messages(stub) if int(message) % 3 == partition]
        assert own == sorted(own)


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ({}, "NoSuchBucket"),
        ({"S3_ENDPOINT_URL": "nowhere"}, "Invalid endpoint"),
    ],
)
def test_an_archive_that_cannot_be_read_is_one_sentence(
    stub: Stub, objects_url: str, wrong: dict[str, str], why: str
) -> None:
    environ = stub.environ | {"S3_ENDPOINT_URL": objects_url, "S3_ACCESS_KEY": "x", "S3_SECRET_KEY": "x"} | wrong
    done = run(["local.replay", "s3://nowhere-at-all/old/", KNOWING], environ)
    assert (done.code, done.err.count("\n")) == (2, 1), done.err
    assert "replay: s3://nowhere-at-all/old/ cannot be read: " in done.err
    assert why in done.err


def test_a_source_that_breaks_off_on_the_way_leaves_a_replay_that_can_go_on(stub: Stub, tmp_path: Path) -> None:
    def lines() -> Iterator[Line]:
        for number in range(5):
            text = json.dumps({"event_type": "error", "message": f"{number}", "occurred_at": AT.isoformat()})
            yield Line(number, AT, text.encode())
        raise Unusable("a.ndjson.gz cannot be read")

    courier = Courier(Target(stub.url, "sck_stub"), Tally(), threading.Event())
    journal = Journal(["a"], stub.url, "", tmp_path)
    play = Play(courier, journal, Pace(0), 2, keep_ids=False)
    with pytest.raises(Unusable):
        play.run(lines(), Progressed("0123456789abcdef01", 0))
    courier.close()
    assert messages(stub) == ["0", "1", "2", "3"]
    assert journal.left() == Progressed("0123456789abcdef01", 0, 4)


def test_without_consent_it_must_be_able_to_ask(stub: Stub, tmp_path: Path) -> None:
    words = [word for word in replay(recorded(tmp_path, [0])) if word != KNOWING]
    done = run(words, stub.environ | {"CORE_API_URL": stub.url, "ACCESS_TOKEN": ""})
    assert (done.code, stub.batches) == (2, [])
    assert "ACCESS_TOKEN is not set" in done.err or "was answered with" in done.err


@pytest.fixture(autouse=True)
def _no_journals_left() -> Iterator[None]:
    before = set(FOLDER.glob("*")) if FOLDER.exists() else set()
    yield
    for path in set(FOLDER.glob("*")) - before if FOLDER.exists() else ():
        path.unlink()
