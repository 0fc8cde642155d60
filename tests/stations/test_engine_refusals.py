"""What the engine refuses, and what stops it until somebody mends it: bad records, strangers, topics made anew."""

import json
from datetime import UTC, datetime

import pytest

from common.clients.postgres.connection import Connection
from common.clients.postgres.database import Database
from common.edge.records import Record
from common.errors import Misconfigured
from common.events.envelope import encode
from local import anew
from tests.cases import Step
from tests.counting import Desk, Log, create_project, envelope

BURST = [Step("event", 10)] * 30
MINUTE_MS = 60_000
NOT_YET = datetime(2020, 1, 1, tzinfo=UTC)


@pytest.fixture
def desk(db: Database) -> Desk:
    return Desk(db, Log(), "error")


def test_what_is_no_envelope_is_refused_and_the_rest_is_counted(desk: Desk) -> None:
    good = desk.records([Step("event", 10)])
    bad = {
        "malformed": b"not json",
        "required": b"{}",
        "not_clamped": encode(
            envelope(7, Step("event", 10), "error", "shop", received_at=datetime(2020, 1, 1, tzinfo=UTC))
        ),
        "unknown_project": encode(envelope(8, Step("event", 10), "error", "nobody")),
    }
    records = [desk.log.append(0, value) for value in [*bad.values(), None]]
    refused = desk.engine.handle([*good, *records])
    assert [one.record for one in refused] == [*records[:3], records[4], records[3]]
    assert [one.code for one in refused if one.record.value] == list(bad)
    assert all(one.detail for one in refused)
    assert (desk.counts(), desk.activity()) == ({10: 1}, 1)
    assert desk.rows("SELECT next FROM progress") == [[6]]


def test_a_record_that_only_seems_to_be_an_envelope_is_refused_when_it_would_be_kept(desk: Desk) -> None:
    seeming = json.loads(encode(envelope(99, Step("event", 10), "error", "shop"))) | {"schema_version": "2.0"}
    records = [*desk.records(BURST), desk.log.append(0, json.dumps(seeming).encode())]
    [refused] = desk.engine.handle(records)
    assert (refused.record, refused.code) == (records[-1], "not_allowed")
    assert desk.counts() == {10: 30}


def test_a_project_made_later_is_found_and_one_that_is_gone_is_missed(desk: Desk, conn: Connection) -> None:
    late = [desk.log.append(0, encode(envelope(n, Step("event", 10), "error", "late"))) for n in range(3)]
    assert [one.code for one in desk.engine.handle(late[:1])] == ["unknown_project"]
    create_project(conn, "late")
    assert desk.engine.handle(late[1:2]) == []
    conn.run("DELETE FROM buckets; DELETE FROM series; DELETE FROM projects WHERE id = 'late'")
    assert [one.code for one in desk.engine.handle(late[2:])] == ["unknown_project"]


def test_a_project_of_another_organisation_is_no_project(desk: Desk) -> None:
    record = desk.log.append(0, encode(envelope(1, Step("event", 10), "error", "shop", org_id="stranger")))
    assert [one.code for one in desk.engine.handle([record])] == ["unknown_project"]
    assert desk.counts() == {}


def test_a_record_of_a_megabyte_is_counted_and_kept(desk: Desk) -> None:
    payload = {"text": "x" * 1_000_000}
    desk.engine.handle(desk.records(BURST, payload=payload))
    assert desk.jobs() == 1


def test_the_year_1_is_counted_beside_today_and_the_year_9999_is_refused(desk: Desk) -> None:
    """Only who writes to the topic himself can claim to have received something in 9999."""

    def sent(year: int, received: int) -> list[Record]:
        occurred, came = datetime(year, 1, 1, tzinfo=UTC), datetime(received, 1, 1, tzinfo=UTC)
        value = encode(envelope(1, Step("event", 0), "error", "shop", occurred_at=occurred, received_at=came))
        return [desk.log.append(0, value) for _ in range(30)]

    assert desk.engine.handle([*sent(1, 2024), *sent(2024, 2024), *sent(1, 2024)]) == []
    assert [value for _, value in desk.rows("SELECT minute, value FROM buckets ORDER BY 1")] == [60, 30]
    assert len(desk.outcomes()) == 2
    assert {one.code for one in desk.engine.handle(sent(9999, 2024))} == {"not_clamped"}
    assert {one.code for one in desk.engine.handle(sent(9999, 9999))} == {"time_out_of_range"}


def test_a_clock_an_hour_wrong_is_clamped_by_ingest_or_late_by_an_hour(desk: Desk) -> None:
    """An hour ahead never gets here (ingest clamps it, or it is refused); an hour late is still judged."""
    desk.send([Step("event", 70), *[Step("event", 10)] * 30])
    assert [outcome.opened_at for outcome, _ in desk.outcomes()] == [10]


def test_a_topic_made_anew_stops_loudly_and_is_mended_by_the_command_it_names(desk: Desk, conn: Connection) -> None:
    desk.send(BURST)
    for record in ((anew_log := Log()),):
        assert record is anew_log
    records = [Record(one.topic, 0, at, 11 * MINUTE_MS, value=one.value) for at, one in enumerate(desk.records(BURST))]
    for _ in range(2):
        with pytest.raises(Misconfigured, match=r"made anew.*python -m local\.anew"):
            desk.engine.handle(records)
    assert desk.counts() == {10: 30}
    assert anew.forget(conn, desk.log.name) == 1
    desk.engine.handle(records)
    assert desk.counts() == {10: 60}


def test_a_redelivery_is_never_taken_for_a_topic_made_anew(desk: Desk) -> None:
    records = desk.records(BURST)
    for at, record in enumerate(records):
        record.timestamp = at * MINUTE_MS
    desk.engine.handle(records)
    desk.engine.handle(records)
    assert desk.counts() == {10: 30}


def test_where_publishers_date_records_nothing_is_concluded_from_their_dates(desk: Desk) -> None:
    desk.send(BURST)
    old = Record("signals.raw.v1", 0, 3, 11 * MINUTE_MS, value=b"x", timestamp_type="CREATE_TIME")
    desk.engine.handle([old])
    assert desk.counts() == {10: 30}


def test_offsets_that_were_passed_over_are_counted_and_said(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    desk.send(BURST[:1])
    desk.log.highs[0] += 5
    desk.send(BURST[:1])
    assert desk.rows("SELECT next, missed FROM progress") == [[7, 5]]
    assert '"gap": "0/1-5"' in capsys.readouterr().err


def test_a_first_batch_may_begin_anywhere(desk: Desk) -> None:
    desk.log.highs[0] = 1000
    desk.send(BURST)
    assert desk.rows("SELECT next, missed FROM progress") == [[1030, 0]]
