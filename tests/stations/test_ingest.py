"""Ingest as a real process on both stream engines: what it takes, what it answers, and what is then on the stream."""

import gzip
import json
import zlib
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from uuid import RFC_4122, UUID, uuid4

import pytest

from common.clients.stream import partition_of
from common.edge.records import Record
from common.events.envelope import encode
from common.events.identity import stream_key
from common.events.reading import decode_envelope
from common.version import VERSION
from tests.ingesting import ENGINES, EVENT, Ingest, event


@pytest.fixture(scope="module", params=ENGINES)
def ingest(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ingest]:
    made = Ingest(request.param, tmp_path_factory.mktemp("ingest"))
    yield made
    made.close()


def ids_of(records: list[Record]) -> set[str]:
    return {json.loads(record.value or b"")["event_id"] for record in records}


def test_an_accepted_event_is_on_the_stream_as_its_canonical_envelope(ingest: Ingest) -> None:
    attributes = {"route": "/orders/17?x=1", "error_code": "E_PAY", "status_code": 504}
    answer = ingest.post(event(environment="prod", attributes=attributes, payload={"cart": [1, 2.5, None]}))
    assert answer.status == 202
    assert answer.header("content-type") == "application/json"
    said = answer.json()
    assert set(said) == {"event_id", "received_at"}
    [record] = ingest.records(1)
    assert record.value
    envelope = decode_envelope(record.value)
    assert encode(envelope) == record.value
    assert json.loads(record.value) == {
        "schema_version": "1.0",
        "event_id": said["event_id"],
        "occurred_at": "2025-01-15T10:00:00Z",
        "received_at": said["received_at"],
        "org_id": "acme",
        "project_id": ingest.project,
        "environment": "prod",
        "event_type": "error",
        "severity": "info",
        "message": "boom",
        "attributes": attributes,
        "payload": {"cart": [1, 2.5, None]},
        "minted": True,
        "clamped": None,
    }
    assert record.key == stream_key("acme", ingest.project, "error", "E_PAY", "/orders/17")
    assert record.partition == partition_of(record.key, 12)


def test_a_minted_id_is_a_uuid_of_this_millisecond(ingest: Ingest) -> None:
    said = ingest.post(EVENT).json()
    minted, received_at = UUID(said["event_id"]), datetime.fromisoformat(said["received_at"])
    assert minted.version == 7
    assert minted.int >> 80 == int(received_at.timestamp() * 1000)
    assert abs(datetime.now(UTC) - received_at) < timedelta(minutes=1)
    ingest.records(1)


def test_minted_ids_of_a_batch_are_in_its_order_among_those_that_were_given(ingest: Ingest) -> None:
    own = str(uuid4())
    ids = ingest.batch([EVENT, event(event_id=own), EVENT, EVENT]).json()["event_ids"]
    assert ids[1] == own
    minted = [UUID(one) for one in ids if one != own]
    assert minted == sorted(set(minted))
    assert all((one.version, one.variant) == (7, RFC_4122) for one in minted)
    records = ingest.records(4)
    assert [json.loads(record.value or b"")["minted"] for record in records] == [True, False, True, True]


def as_array(events: Sequence[object]) -> bytes:
    return json.dumps(events).encode()


def as_object(events: Sequence[object]) -> bytes:
    return json.dumps({"events": events}).encode()


def as_lines(events: Sequence[object]) -> bytes:
    return b"\n".join(json.dumps(one).encode() for one in events)


@pytest.mark.parametrize("shape", [as_array, as_object, as_lines])
@pytest.mark.parametrize(
    ("encoding", "pack"),
    [("", bytes), ("gzip", gzip.compress), ("deflate", zlib.compress)],
    ids=["plain", "gzip", "deflate"],
)
def test_a_batch_comes_in_three_shapes_and_three_encodings(
    ingest: Ingest, shape: Callable[[Sequence[object]], bytes], encoding: str, pack: Callable[[bytes], bytes]
) -> None:
    ids = [str(uuid4()) for _ in range(5)]
    body = pack(shape([event(event_id=one, event_type="signup") for one in ids]))
    answer = ingest.batch(body, headers={"content-encoding": encoding})
    assert answer.status == 202
    assert answer.json() == {"accepted": 5, "event_ids": ids, "rejected": []}
    assert [json.loads(record.value or b"")["event_id"] for record in ingest.records(5)] == ids


def test_a_batch_with_bad_events_takes_the_good_and_lists_the_bad(ingest: Ingest) -> None:
    good = [str(uuid4()), str(uuid4())]
    bad = event(severity="loud")
    answer = ingest.batch([event(event_id=good[0]), bad, event(event_id=good[1]), event(message="x" * 9000), 5])
    assert answer.status == 202
    said = answer.json()
    assert said["event_ids"] == good
    assert said["accepted"] == 2
    assert [(one["index"], one["code"], one["field"]) for one in said["rejected"]] == [
        (1, "not_allowed", "severity"),
        (3, "too_long", "message"),
        (4, "wrong_type", None),
    ]
    assert said["rejected"][1]["detail"] == "message is too long: at most 8192 characters."
    assert ids_of(ingest.records(2)) == set(good)


def test_a_batch_without_a_good_event_is_refused_with_all_the_reasons(ingest: Ingest) -> None:
    answer = ingest.batch([event(event_type="x"), event(unknown=1)])
    assert (answer.status, answer.header("content-type")) == (422, "application/problem+json")
    said = answer.json()
    assert said["code"] == "all_rejected"
    assert [(one["index"], one["code"], one["field"]) for one in said["rejected"]] == [
        (0, "not_allowed", "event_type"),
        (1, "unknown_field", "unknown"),
    ]
    assert all(one["detail"] for one in said["rejected"])


def test_the_same_ids_again_get_the_same_answer(ingest: Ingest) -> None:
    ids = [str(uuid4()) for _ in range(3)]
    first, again = (ingest.batch([event(event_id=one) for one in ids]) for _ in range(2))
    assert first.status == again.status == 202
    assert first.json() == again.json()
    one = ingest.post(event(event_id=ids[0]))
    assert one.json()["event_id"] == ids[0]
    records = ingest.records(7)
    assert len(records) == 7
    assert len({record.partition for record in records}) == 1  # where counting will know them again


def test_the_order_of_a_series_is_the_order_of_its_events(ingest: Ingest) -> None:
    for start in range(0, 600, 200):
        batch = [event(message=str(n), attributes={"route": f"/{'abcdefg'[n % 7]}"}) for n in range(start, start + 200)]
        assert ingest.batch(batch).status == 202
    numbers: dict[bytes | None, list[int]] = {}
    for record in ingest.records(600):
        numbers.setdefault(record.key, []).append(int(json.loads(record.value or b"")["message"]))
    assert sorted(map(len, numbers.values())) == [85, 85, 86, 86, 86, 86, 86]
    assert all(series == sorted(series) for series in numbers.values())


def test_the_limits_themselves_are_allowed(ingest: Ingest) -> None:
    largest = event(payload={"text": "x" * (64 * 1024)})
    spare = len(json.dumps(largest)) - 64 * 1024
    largest["payload"] = {"text": "x" * (64 * 1024 - spare)}
    assert len(json.dumps(largest)) == 64 * 1024
    assert ingest.post(largest).status == 202
    assert ingest.batch([EVENT] * 1000).json()["accepted"] == 1000
    padded = json.dumps([EVENT]).encode().ljust(1024 * 1024)
    assert ingest.batch(padded).status == 202
    assert len(ingest.records(1002)) == 1002


def test_org_project_and_time_received_are_never_the_callers(ingest: Ingest) -> None:
    stolen = event(org_id="other", project_id="other", received_at="2001-01-01T00:00:00Z", minted=False, clamped="x")
    assert ingest.post(stolen).status == 202
    [record] = ingest.records(1)
    said = json.loads(record.value or b"")
    assert (said["org_id"], said["project_id"], said["minted"], said["clamped"]) == ("acme", ingest.project, True, None)
    assert said["received_at"] > "2025"


def test_a_time_far_ahead_is_clamped_and_kept(ingest: Ingest) -> None:
    assert ingest.post(event(occurred_at="2999-01-01T00:00:00+01:00")).status == 202
    [record] = ingest.records(1)
    said = json.loads(record.value or b"")
    assert (said["occurred_at"], said["clamped"]) == (said["received_at"], "2998-12-31T23:00:00Z")


@pytest.mark.parametrize("path", ["/v1/events/", "/v1/events?source=x"])
def test_a_slash_or_a_query_does_not_matter(ingest: Ingest, path: str) -> None:
    assert ingest.post(EVENT, path).status == 202
    ingest.records(1)


@pytest.mark.parametrize("name", ["x-api-key", "X-API-KEY", "authorization"])
def test_the_key_may_come_in_either_header(ingest: Ingest, name: str) -> None:
    value = f"Bearer {ingest.key}" if name == "authorization" else ingest.key
    assert ingest.post(EVENT, key="", headers={name: value}).status == 202
    ingest.records(1)


@pytest.mark.parametrize("path", ["/health", "/healthz"])
def test_it_says_that_it_lives_and_asks_for_no_key(ingest: Ingest, path: str) -> None:
    answer = ingest.host.request("GET", path)
    assert (answer.status, answer.json()) == (200, {"status": "ok", "version": VERSION})


def test_it_is_ready_when_the_stream_answers(ingest: Ingest) -> None:
    answer = ingest.host.request("GET", "/readyz")
    assert (answer.status, answer.json()) == (200, {"status": "ready", "version": VERSION})


def test_it_counts_what_it_took_and_what_it_did_not(ingest: Ingest) -> None:
    before = counters(ingest)
    ingest.post([event(), event(), {}, {**event(), "event_type": "nonsense"}], "/v1/events/batch")
    ingest.post(event(), key="sck_mistyped")
    ingest.post(b"{")
    ingest.records(2)
    now = counters(ingest)
    moved = {name: value - before.get(name, 0) for name, value in now.items() if value != before.get(name, 0)}
    assert moved.pop("signals_events_accepted_total") == 2
    assert moved.pop('signals_records_published_total{topic="signals.raw.v1"}') == 2
    assert moved.pop('signals_events_refused_total{reason="malformed_key"}') == 1
    assert sum(moved[name] for name in moved if name.startswith("signals_events_refused_total")) == 3


def counters(ingest: Ingest) -> dict[str, float]:
    page = ingest.host.request("GET", "/metrics").body.decode()
    return {line.rpartition(" ")[0]: float(line.rpartition(" ")[2]) for line in page.splitlines() if line[0] != "#"}
