"""Lines as replay reads them: which are events, in which order, at which moment, under which id and time."""

import gzip
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast
from uuid import UUID

import pytest

from common.clients import archive
from common.clients.objects import Objects
from common.edge.records import Record
from local.replay.consent import spans
from local.replay.journal import Journal, Progressed
from local.replay.play import Pace
from local.replay.reading import Broken, Facts, Line, facts, prepared, read
from local.replay.replay import Wanted, refuse_broken, refuse_changed, refuse_nonsense
from local.replay.sources import about, in_order, sources
from local.sending.target import Unusable

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
AT = datetime(2026, 3, 2, 9, 0, 30, tzinfo=UTC)
NOTHING = timedelta()
RUN, OTHER = "0123456789abcdef01", "fedcba9876543210fe"


def event(number: int = 0, **fields: Any) -> dict[str, Any]:
    occurred_at = (AT + timedelta(seconds=number)).isoformat()
    return {"event_type": "error", "message": f"event {number}", "occurred_at": occurred_at} | fields


def written(folder: Path, name: str, *lines: object) -> Path:
    text = "".join((line if isinstance(line, str) else json.dumps(line)) + "\n" for line in lines)
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress(text.encode()) if name.endswith(".gz") else text.encode())
    return path


def all_of(path: Path) -> list[Line | Broken]:
    return list(read(sources([str(path)], {})))


@pytest.mark.parametrize(
    "line",
    [
        "no json",
        '{"event_type": "error"',
        "[]",
        "17",
        {"event_type": "error", "message": "no time"},
        event(occurred_at="yesterday"),
        event(occurred_at="2026-03-02T09:00:00"),  # of which offset?
        event(occurred_at=1_772_366_400),
        event(message=None),
        event(event_id=5),
    ],
)
def test_a_line_that_is_no_event_is_named_by_its_number(tmp_path: Path, line: object) -> None:
    path = written(tmp_path, "a.ndjson", event(1), line, event(2))
    one, broken, two = all_of(path)
    assert isinstance(broken, Broken)
    assert broken.where == f"{path}:2"
    assert isinstance(one, Line)
    assert isinstance(two, Line)
    assert (one.number, two.number) == (0, 2)


def test_blank_lines_and_crlf_are_no_matter(tmp_path: Path) -> None:
    path = tmp_path / "a.ndjson"
    path.write_bytes(b"\r\n" + json.dumps(event()).encode() + b"\r\n\n")
    assert [type(line) for line in all_of(path)] == [Line]


def test_files_and_folders_are_read_in_order_plain_or_gzip(tmp_path: Path) -> None:
    written(tmp_path, "b.ndjson.gz", event(3))
    written(tmp_path, "a.ndjson", event(1), event(2))
    written(tmp_path, "c/d.jsonl", event(4))
    written(tmp_path, "notes.txt", "nothing")
    found = all_of(tmp_path)
    assert [json.loads(bytes(line.text))["message"] for line in found if isinstance(line, Line)] == [
        f"event {number}" for number in (1, 2, 3, 4)
    ]
    assert [line.number for line in found if isinstance(line, Line)] == [0, 1, 2, 3]


def test_what_the_archiver_wrote_can_be_read_with_its_events_inside(tmp_path: Path) -> None:
    class Folder:
        def put(self, name: str, body: bytes) -> None:
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_bytes(body)

    values = [json.dumps(event(number)).encode() for number in range(4)] + [b"no event"]
    records = [Record("t", n % 2, n, 1_772_366_400_000 + n, b"k", value) for n, value in enumerate(values)]
    names = archive.write(cast(Objects, Folder()), records)
    assert sorted(names, key=in_order) == sorted(names, key=lambda name: "partition=0" not in name)
    found = all_of(tmp_path)
    lines = [line for line in found if isinstance(line, Line)]
    assert [json.loads(bytes(line.text))["message"] for line in lines] == ["event 0", "event 2", "event 1", "event 3"]
    assert len(found) - len(lines) == 1  # what was no event is none


def test_archives_come_by_time_then_partition_then_offset() -> None:
    names = [
        "t/day=2026-03-01/partition=10/5-9-200.ndjson.gz",
        "t/day=2026-03-01/partition=2/100-110-200.ndjson.gz",
        "t/day=2026-03-01/partition=2/20-30-200.ndjson.gz",
        "t/day=2026-03-01/partition=11/0-1-99.ndjson.gz",
    ]
    assert sorted(names, key=in_order) == [names[3], names[2], names[1], names[0]]


@pytest.mark.parametrize("given", ["nowhere.ndjson", "empty"])
def test_a_source_that_is_not_there_is_one_sentence(tmp_path: Path, given: str) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(Unusable, match=given):
        sources([str(tmp_path / given)], {})


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (gzip.compress(b"x" * 500)[:-9], "ended before"),  # cut off
        (b"no gzip", "Not a gzipped file"),
        (gzip.compress(b"x")[:10] + b"\xff" * 40, "while decompressing"),
        (None, "Is a directory"),
    ],
)
def test_a_source_that_cannot_be_read_is_one_sentence(tmp_path: Path, content: bytes | None, why: str) -> None:
    path = tmp_path / "a.ndjson.gz"
    if content is None:
        path.mkdir()
    else:
        path.write_bytes(content)
    with pytest.raises(Unusable, match=rf"a\.ndjson\.gz cannot be read: .*{why}"):
        all_of(tmp_path)


def line(number: int = 0, **fields: Any) -> Line:
    given = event(number, **fields)
    return Line(number, datetime.fromisoformat(given["occurred_at"]), json.dumps(given).encode())


def test_an_event_gets_a_new_id_the_same_for_the_same_and_keeps_it_if_told() -> None:
    theirs = "00000000-0000-4000-8000-000000000001"
    one, repeat, other = (
        prepared(line(n, event_id=theirs), run, NOTHING) for n, run in ((1, RUN), (9, RUN), (1, OTHER))
    )
    assert one["event_id"] == repeat["event_id"] != other["event_id"]
    assert theirs not in (one["event_id"], other["event_id"])
    assert prepared(line(1, event_id=theirs), RUN, NOTHING, keep_ids=True)["event_id"] == theirs
    without = [prepared(line(number), RUN, NOTHING, keep_ids=True)["event_id"] for number in (1, 2)]
    assert len({*without}) == 2
    assert all(UUID(each) for each in without)


def test_only_id_and_time_change() -> None:
    given = line(5, payload={"a": [1, None]}, attributes={"route": "/x"}, environment="staging")
    sent = prepared(given, RUN, timedelta(days=2, minutes=3))
    assert sent.pop("event_id")
    assert sent.pop("occurred_at") == "2026-03-04T09:03:35Z"
    assert sent == {name: value for name, value in json.loads(bytes(given.text)).items() if name != "occurred_at"}
    assert prepared(given, RUN, NOTHING)["occurred_at"] == json.loads(bytes(given.text))["occurred_at"]


def known(folder: Path, *lines: object) -> Facts:
    return facts(sources([str(written(folder, "a.ndjson", *lines))], {}), NOW)


def test_the_first_reading_knows_the_span_and_leaves_out_the_future(tmp_path: Path) -> None:
    found = known(tmp_path, event(60), event(0), event(occurred_at="3001-01-01T00:00:00Z"), "broken", event(90_000))
    assert (found.events, len(found.broken)) == (4, 1)
    assert (found.first, found.last) == (AT, AT + timedelta(seconds=90_000))
    assert list(found.days) == [AT.date(), AT.date() + timedelta(days=1)]


def test_broken_lines_stop_it_by_number_unless_told_to_go_on(tmp_path: Path) -> None:
    found = known(tmp_path, event(), "broken", *["worse"] * 7)
    with pytest.raises(Unusable, match=r"(?s)nothing was sent.*a\.ndjson:2: .*and 3 more"):
        refuse_broken(found, "stop")
    refuse_broken(found, "skip")
    with pytest.raises(Unusable, match="no event in it"):
        refuse_broken(known(tmp_path, "broken"), "skip")


def test_what_is_asked_for_before_are_the_days_with_events_and_of_the_first_and_last_their_part(tmp_path: Path) -> None:
    found = known(tmp_path, event(0), event(600), event(3 * 86_400))
    one, two = spans(found, NOTHING)
    assert one == (AT.replace(second=0), AT + timedelta(seconds=660))
    assert two == (AT.replace(second=0) + timedelta(days=3), AT + timedelta(days=3, minutes=1))
    moved = spans(found, timedelta(hours=14, minutes=55))  # over midnight
    assert [span[0].date() for span in moved] == sorted({span[0].date() for span in moved})
    assert all(last - first <= timedelta(days=1, minutes=1) for first, last in moved)


def test_late_lines_go_with_those_they_stand_among() -> None:
    pace = Pace(10)
    dues = [pace.due(AT + timedelta(seconds=seconds), 100.0) for seconds in (0, 60, 5, 120)]
    assert dues == [100.0, 106.0, 106.0, 112.0]
    assert Pace(0).due(AT, 100.0) == 100.0


def test_a_journal_is_of_one_replay_and_ends_with_it(tmp_path: Path) -> None:
    one = Journal(["a.ndjson"], "http://x", "p", tmp_path)
    assert one.left() is None
    one.keep(Progressed(RUN, 60, 500))
    one.keep(Progressed(RUN, 60, 600))  # too soon to be written
    assert Journal(["a.ndjson"], "http://x", "p", tmp_path).left() == Progressed(RUN, 60, 500)
    one.keep(Progressed(RUN, 60, 700), now=True)
    assert one.left() == Progressed(RUN, 60, 700)
    for other in (["b.ndjson"], "http://x", "p"), (["a.ndjson"], "http://y", "p"), (["a.ndjson"], "http://x", "q"):
        assert Journal(*other, tmp_path).left() is None
    one.over()
    assert one.left() is None


def test_it_goes_on_only_with_the_sources_and_the_ids_it_began_with(tmp_path: Path) -> None:
    path = written(tmp_path, "a.ndjson", event(1), event(2))
    began = Progressed(RUN, 60, 1, keep_ids=True, sources=about(sources([str(path)], {})))
    refuse_changed(began, began._replace(run=OTHER, shift_seconds=0, lines=0))
    with pytest.raises(Unusable, match="begun with --keep-ids"):
        refuse_changed(began, began._replace(keep_ids=False))
    with pytest.raises(Unusable, match="begun without --keep-ids"):
        refuse_changed(began._replace(keep_ids=False), began)
    written(tmp_path, "a.ndjson", event(0), event(1), event(2))  # lines before the mark: none is what it was
    with pytest.raises(Unusable, match="have changed"):
        refuse_changed(began, began._replace(sources=about(sources([str(path)], {}))))


def test_sources_are_known_by_name_order_and_size(tmp_path: Path) -> None:
    given = [str(written(tmp_path, name, event(1))) for name in ("a.ndjson", "b.ndjson")]
    one = about(sources(given, {}))
    assert one == about(sources(given, {}))
    assert one != about(sources(given[::-1], {}))
    assert one != about(sources(given[:1], {}))
    written(tmp_path, "b.ndjson", event(1), event(2))
    assert one != about(sources(given, {}))


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"loop": True}, "--loop sends the same times again"),
        ({"loop": True, "shift": True, "keep_ids": True}, "counted once"),
        ({"batch": 0}, "at least 1"),
    ],
)
def test_what_makes_no_sense_is_refused(fields: dict[str, Any], why: str) -> None:
    with pytest.raises(Unusable, match=why):
        refuse_nonsense(Wanted(["a"], **fields))
