"""Reading and sealing: one by one or many at once, nothing is lost, nothing is guessed, nothing changes twice."""

import json
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from uuid import UUID

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from common.errors import Problem
from common.events.batch import Batch, Rejected, decode_many
from common.events.counted import Counted, decode_counted, minute_of
from common.events.envelope import Event, Known, canonicalize, encode, seal
from common.events.limits import Limits
from common.events.reading import decode_envelope, decode_one
from common.events.refusals import CODES

NOW = datetime(2025, 1, 15, 10, 5, tzinfo=UTC)
GOOD = {"event_type": "error", "occurred_at": "2025-01-15T10:00:00Z", "message": "boom"}


def raw(**fields: Any) -> bytes:
    return json.dumps(GOOD | fields).encode()


def sealed(event: bytes) -> bytes:
    return encode(seal(decode_one(event), "acme", "shop", NOW, lambda: UUID(int=7)))


def refused(event: bytes) -> Problem:
    with pytest.raises(Problem) as refusal:
        decode_one(event)
    return refusal.value


def is_free(name: str) -> bool:
    """Known attributes have rules of their own, which chance would break."""
    return name != "" and name not in Known.__struct_fields__


scalars = (
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False, allow_infinity=False)
)
texts = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=30)
payloads = st.recursive(scalars | texts, lambda inner: st.lists(inner) | st.dictionaries(texts, inner), max_leaves=8)
offsets = st.integers(-1439, 1439).map(lambda minutes: timezone(timedelta(minutes=minutes)))
times = st.datetimes(datetime(1, 1, 3), datetime(9999, 12, 29), timezones=offsets).map(datetime.isoformat)  # noqa: DTZ001
good_events = st.fixed_dictionaries(
    {"event_type": st.sampled_from(["error", "signup"]), "occurred_at": times, "message": texts.map(lambda t: "m" + t)},
    optional={
        "event_id": st.uuids().map(str),
        "environment": st.sampled_from(["prod", "staging", "dev"]),
        "attributes": st.dictionaries(texts.filter(is_free), scalars | texts, max_size=4),
        "payload": st.dictionaries(texts, payloads, max_size=3),
        "org_id": payloads,
        "minted": payloads,
    },
).map(lambda event: json.dumps(event).encode())
bad_events = st.sampled_from(
    [b"{}", b"5", b"[]", raw(message=""), raw(user=1), raw(attributes={"a": []}), raw(severity="x"),
     raw(payload={"n": 2**63}), raw(payload={"n": float("nan")}), raw(message="\ud800"), raw(message="\0"),
     raw(occurred_at="2025-01-15T10:00:60Z"), raw(environment="test"), raw(attributes={"status_code": 0}),
     raw(payload={"n": json.loads("[" * 40 + "]" * 40)})]
)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(good_events)
def test_canonicalising_twice_changes_nothing(event: bytes) -> None:
    once = decode_one(event)
    assert canonicalize(once) == once
    assert encode(decode_one(encode(once))) == encode(once)


@settings(max_examples=100, deadline=None)
@given(good_events)
def test_an_envelope_replayed_is_the_same_but_for_what_ingest_alone_sets(event: bytes) -> None:
    first = json.loads(sealed(event))
    again = json.loads(sealed(json.dumps(first).encode()))
    assert again == first | {"minted": False, "clamped": None}


@settings(max_examples=100, deadline=None)
@given(good_events)
def test_the_time_of_an_event_is_the_same_moment_in_utc(event: bytes) -> None:
    told = datetime.fromisoformat(json.loads(event)["occurred_at"])
    assert decode_one(event).occurred_at == told
    assert decode_one(event).occurred_at.tzinfo is UTC


def one_by_one(events: list[bytes]) -> Batch:
    good, bad = [], []
    for index, event in enumerate(events):
        try:
            good.append(decode_one(event))
        except Problem as reason:
            bad.append(Rejected(index, reason.code, reason.field, reason.detail))
    return Batch(good, bad)


@settings(max_examples=150, deadline=None)
@given(st.lists(good_events | bad_events, min_size=1, max_size=6))
def test_a_batch_is_read_as_its_events_are_read_alone(events: list[bytes]) -> None:
    array = b"[" + b", ".join(events) + b"]"
    expected = one_by_one(events)
    assert decode_many(array) == expected
    assert decode_many(b'{"events": ' + array + b"}") == expected
    assert decode_many(b"\n".join([raw(), *events])) == one_by_one([raw(), *events])


def test_a_batch_of_too_many_events_is_refused_before_they_are_read() -> None:
    for body in (b"[" + b",".join([raw()] * 3) + b"]", b"\n".join([raw()] * 3), b"[1,1,1]"):
        with pytest.raises(Problem) as refusal:
            decode_many(body, Limits(batch_events=2))
        assert (refusal.value.code, refusal.value.status) == ("too_many", 413)


def test_an_event_may_be_as_large_as_the_limit_alone_and_in_a_batch() -> None:
    event = raw()
    assert decode_one(event, Limits(event_bytes=len(event))).message == "boom"
    assert refused_code(event, Limits(event_bytes=len(event) - 1)) == "too_large"
    batch = decode_many(b"[%b,%b]" % (event, raw(payload={"a": 1})), Limits(event_bytes=len(event)))
    assert len(batch.events) == 1
    assert [(bad.index, bad.code) for bad in batch.rejected] == [(1, "too_large")]
    lines = decode_many(event + b"\n" + raw(payload={"a": 1}), Limits(event_bytes=len(event)))
    assert [(bad.index, bad.code) for bad in lines.rejected] == [(1, "too_large")]


def refused_code(event: bytes, limits: Limits) -> str:
    with pytest.raises(Problem) as refusal:
        decode_one(event, limits)
    return refusal.value.code


def test_the_environments_are_a_setting() -> None:
    limits = Limits(environments=("prod", "qa"))
    assert decode_one(raw(environment="qa"), limits).environment == "qa"
    assert "prod, qa" in refused_detail(raw(environment="staging"), limits)


def refused_detail(event: bytes, limits: Limits) -> str:
    with pytest.raises(Problem) as refusal:
        decode_one(event, limits)
    return refusal.value.detail


@pytest.mark.parametrize(
    ("event", "detail"),
    [
        (raw(user=1), "user is not a field of an event: put it in attributes or payload."),
        (raw(message="x" * 8193), "message is too long: at most 8192 characters."),
        (raw(attributes={"status_code": 600}), "attributes.status_code is outside its range: it must be <= 599."),
        (raw(attributes={"error_code": 5}), "attributes.error_code must be text or null, not an integer."),
        (raw(event_id=5), "event_id must be a UUID as text, not an integer."),
        (raw(severity="fatal"), "severity must be one of debug, info, warn, error, critical."),
        (raw(occurred_at="2025-01-15T10:00:00"), "occurred_at has no offset: end it with Z or +hh:mm."),
        (b"[]", "The event must be an object, not an array."),
        (b"{", "The event is not JSON: Expecting property name enclosed in double quotes: line 1 column 2 (char 1)."),
    ],
)
def test_a_refusal_says_what_to_change(event: bytes, detail: str) -> None:
    assert refused(event).detail == detail


def test_what_is_not_json_is_400_and_what_is_no_event_is_422() -> None:
    assert refused(b"nope").status == 400
    assert refused(b"{}").status == 422


@pytest.mark.parametrize(
    ("fields", "code", "field"),
    [
        ({"attributesX": 1}, "unknown_field", "attributesX"),
        ({"attributes[...]": 1}, "unknown_field", "attributes[...]"),
        ({"x - at `$.attributes[...]`": 1}, "unknown_field", "x - at `$.attributes[...]`"),
        ({"`": 1}, "unknown_field", "`"),
        ({"severity": "x' - at `$.message`"}, "not_allowed", "severity"),
        ({"severity": "x' - at `key` in `$.attributes`"}, "not_allowed", "severity"),
        ({"attributes": {"a - at `$.b`": []}}, "wrong_type", "attributes.a - at `$.b`"),
        ({"attributes": {"a": 1, "a - at `key` in `$`": []}}, "wrong_type", "attributes.a - at `key` in `$`"),
        ({"x" * 5000: 1}, "unknown_field", "x" * 200 + "…"),
        ({"a\ud800\0": 1}, "nul", "a\\ud800\\u0000"),
    ],
)
def test_names_made_to_mislead_are_named_all_the_same(fields: dict[str, Any], code: str, field: str) -> None:
    refusal = refused(raw(**fields))
    assert (refusal.code, refusal.field) == (code, field)
    msgspec.json.encode(refusal.detail)  # an answer can carry it


def outcome(read: Callable[..., object], *given: object) -> Problem | None:
    """The refusal, if there is one; anything else that is raised is a bug, and fails the test."""
    try:
        read(*given)
    except Problem as refusal:
        return refusal
    return None


noises = st.binary(max_size=60) | st.text(max_size=40).map(lambda text: f'"{text}"'.encode("utf-8", "surrogatepass"))


@settings(max_examples=300, deadline=None)
@given(noises)
@example(b'{"\xff":1}')
def test_no_bytes_do_more_than_be_refused(noise: bytes) -> None:
    for event in (noise, raw()[:-1] + b"," + noise + b"}", raw(payload={"a": "@"}).replace(b'"@"', noise)):
        for read in (decode_one, decode_many, decode_envelope, decode_counted):
            if refusal := outcome(read, event):
                assert refusal.code in CODES
                assert msgspec.json.encode([refusal.code, refusal.field, refusal.detail])


BOMBS = (b"[" * 500_000, b'{"a":' * 200_000, b'{"payload":' + b"[" * 500_000, b'"' + b"\\" * 500_000)


@pytest.mark.parametrize("bomb", BOMBS)
def test_a_bomb_is_refused(bomb: bytes) -> None:
    limits = Limits(event_bytes=10**7)
    for event in (bomb, b"[" + raw() + b"," + bomb + b"]", b'{"events":[' + bomb + b"]}"):
        refusal = outcome(decode_one, event, limits)
        assert refusal is not None
        assert refusal.code in ("too_deep", "malformed")
        assert outcome(decode_many, event, limits) or decode_many(event, limits).events == []


def test_a_good_event_survives_the_bomb_beside_it() -> None:
    bomb = raw(payload={"a": "@"}).replace(b'"@"', b"[" * 20_000 + b"]" * 20_000)
    batch = decode_many(b"[%b,%b]" % (bomb, raw()), Limits(event_bytes=10**6))
    assert [(bad.index, bad.code, bad.field) for bad in batch.rejected] == [(0, "too_deep", "payload")]
    assert len(batch.events) == 1


def test_two_events_share_no_defaults() -> None:
    one, two = decode_one(raw()), decode_one(raw())
    assert one.attributes is not two.attributes
    assert one.payload is not two.payload


def test_an_event_made_in_code_is_canonicalised_like_one_that_was_read() -> None:
    east = datetime(2025, 1, 15, 11, tzinfo=timezone(timedelta(hours=1)))
    assert canonicalize(Event(occurred_at=east, event_type="error", message="boom")) == decode_one(raw())
    deep = json.loads('{"a":' * 40 + "1" + "}" * 40)
    for payload, code in (({"n": 2**63}, "integer_out_of_range"), (deep, "too_deep")):
        with pytest.raises(Problem) as refusal:
            canonicalize(Event(occurred_at=east, event_type="error", message="boom", payload=payload))
        assert (refusal.value.code, refusal.value.field) == (code, "payload")


@settings(max_examples=100, deadline=None)
@given(good_events)
def test_counting_reads_the_same_as_reading_in_full(event: bytes) -> None:
    record = sealed(event)
    counted, full = decode_counted(record), decode_envelope(record)
    for field in set(Counted.__struct_fields__) - {"event_id", "attributes", "minted"}:
        assert getattr(counted, field) == getattr(full, field)
    assert (counted.event_id, counted.minted) == (str(full.event_id), full.minted)
    for name in ("route", "error_code", "service"):
        assert getattr(counted.attributes, name) == full.attributes.get(name)


@pytest.mark.parametrize("read", [decode_envelope, decode_counted])
def test_whoever_writes_to_the_topic_himself_is_checked_too(read: Any) -> None:
    record = json.loads(sealed(raw(attributes={"route": "/a"})))
    for change, code in (
        ({"occurred_at": "2025-01-15T10:00:00"}, "time_without_offset"),
        ({"received_at": "0001-01-01T00:00:00+01:00"}, "time_out_of_range"),
        ({"message": "a\0b"}, "nul"),
        ({"attributes": {"route": "/" * 513}}, "too_long"),
        ({"attributes": {"error_code": 5}}, "wrong_type"),
        ({"org_id": ""}, "empty"),
        ({"event_id": None}, "wrong_type"),
        ({"minted": None}, "wrong_type"),
    ):
        with pytest.raises(Problem) as refusal:
            read(json.dumps(record | change).encode())
        assert refusal.value.code == code
    for value in (b"", b"null", b"\xff", b"[" * 100_000):
        with pytest.raises(Problem):
            read(value)


@pytest.mark.parametrize("read", [decode_envelope, decode_counted])
def test_a_record_in_another_form_is_read_in_its_canonical_one(read: Any) -> None:
    record = json.loads(sealed(raw(message="\\u0000")))
    record |= {"occurred_at": "2025-01-15T11:00:00+01:00", "event_id": UUID(int=7).hex}
    assert read(json.dumps(record).encode()) == read(sealed(raw(message="\\u0000")))


def test_a_record_of_another_major_version_is_refused() -> None:
    with pytest.raises(Problem) as refusal:
        decode_envelope(json.dumps(json.loads(sealed(raw())) | {"schema_version": "2.0"}).encode())
    assert refusal.value.field == "schema_version"


@settings(max_examples=300)
@given(st.datetimes(timezones=st.just(UTC)))
@example(datetime(9999, 12, 31, 23, 59, 59, 999_999, UTC))
@example(datetime(1, 1, 1, tzinfo=UTC))
def test_a_minute_is_whole_minutes_since_1970(time: datetime) -> None:
    assert minute_of(time) == (time - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(minutes=1)


def test_reading_events_loads_nothing_heavy() -> None:
    code = "import sys, common.events.batch, common.events.counted, common.events.identity; print(*sys.modules)"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    heavy = {"pydantic", "dataclasses", "asyncio", "logging", "ssl", "json", "common.events.explain"}
    assert set(ran.stdout.split()) & heavy == set()
