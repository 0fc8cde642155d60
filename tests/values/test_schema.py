"""The published JSON Schema says what the Structs say, both ways, but for the rules listed in UNSAID."""

import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from common.errors import Problem
from common.events import schema
from common.events.envelope import Envelope, Event, Known, encode, seal
from common.events.reading import decode_envelope, decode_one
from common.events.refusals import CODES

EVENT = Draft202012Validator(schema.event_schema())
ENVELOPE = Draft202012Validator(schema.envelope_schema())
NOW = datetime(2025, 1, 15, 10, tzinfo=UTC)
GOOD = {"event_type": "error", "occurred_at": "2025-01-15T10:00:00Z", "message": "boom"}

texts = st.text(max_size=20) | st.sampled_from(["", " ", "\t\n", "\0", "x" * 17, "x" * 129, "x" * 513, "x" * 1025])
numbers = st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False, allow_infinity=False)
scalars = st.none() | st.booleans() | numbers | texts
anything = st.recursive(scalars, lambda inner: st.lists(inner, max_size=2) | st.dictionaries(texts, inner, max_size=2))
# no 404.0: that a status has no point is one of the things a schema cannot say
statuses = st.integers(90, 610) | st.none() | st.booleans() | texts | st.just(404.5)
known = st.fixed_dictionaries(
    {}, optional={"route": anything, "method": anything, "error_code": anything, "status_code": statuses}
)
attributes = st.builds(lambda a, b: a | b, st.dictionaries(texts, scalars, max_size=3), known)
times = st.sampled_from(
    ["2025-01-15T10:00:00Z", "2025-01-15t10:00:00.5+01:00", "2025-01-15 10:00:00-0530", "2025-01-15T10:00:60Z",
     "2025-01-15T10:00:00", "2025-01-15T24:00:00Z", "2025-13-01T00:00:00Z", "2025-01-15", "now", "2025-01-15T10:00Z"]
)  # fmt: skip
ids = st.uuids().map(str) | st.uuids().map(lambda uuid: uuid.hex) | st.sampled_from(["", "x", "urn:uuid:0"])
types = st.sampled_from(["error", "signup", "custom", "Error", ""])
severities = st.sampled_from(["info", "critical", "warning"])
likely = st.fixed_dictionaries(
    {"event_type": types, "occurred_at": times, "message": texts},
    optional={
        "event_id": ids | anything,
        "environment": st.sampled_from(["prod", "dev", "test"]) | anything,
        "severity": severities | anything,
        "attributes": attributes | anything,
        "payload": st.dictionaries(texts, anything, max_size=2) | anything,
        "org_id": anything,
        "clamped": anything,
        "user": st.just("unknown"),
    },
)
broken = st.builds(lambda event, field, value: event | {field: value}, likely, st.sampled_from([*GOOD, "x"]), anything)


def accepted(raw: bytes) -> bool:
    try:
        decode_one(raw)
    except Problem:
        return False
    return True


@settings(max_examples=500, deadline=None)
@given(likely | broken | anything)
@example(GOOD)
@example(GOOD | {"attributes": {"status_code": 99}})
@example(GOOD | {"payload": {"a": [{"\0": 1}]}})
def test_struct_and_schema_agree_on_every_event(event: Any) -> None:
    assert accepted(json.dumps(event).encode()) == EVENT.is_valid(event)


@settings(max_examples=150, deadline=None)
@given(likely)
def test_whatever_is_accepted_is_sealed_into_a_valid_envelope(event: Any) -> None:
    raw = json.dumps(event).encode()
    if accepted(raw):
        sealed = encode(seal(decode_one(raw), "acme", "shop", NOW, lambda: UUID(int=7)))
        ENVELOPE.validate(json.loads(sealed))
        assert encode(decode_envelope(sealed)) == sealed


SEALED = json.loads(encode(seal(decode_one(json.dumps(GOOD).encode()), "acme", "shop", NOW, lambda: UUID(int=7))))


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(sorted(SEALED)), anything | attributes | times | ids | types)
def test_struct_and_schema_agree_on_every_envelope_in_its_canonical_form(field: str, value: Any) -> None:
    changed = SEALED | {field: value}
    raw = json.dumps(changed).encode()
    try:
        canonical = json.loads(encode(decode_envelope(raw))) == changed
    except Problem:
        canonical = False
    assert canonical == ENVELOPE.is_valid(changed)


@pytest.mark.parametrize("field", sorted(SEALED))
def test_an_envelope_lacks_nothing(field: str) -> None:
    lacking = {name: value for name, value in SEALED.items() if name != field}
    assert not ENVELOPE.is_valid(lacking)
    with pytest.raises(Problem, match="is required"):
        decode_envelope(json.dumps(lacking).encode())


def test_a_later_release_may_add_fields_to_an_envelope() -> None:
    later = SEALED | {"schema_version": "1.9", "region": "eu"}
    assert ENVELOPE.is_valid(later)
    assert decode_envelope(json.dumps(later).encode()).schema_version == "1.9"


def test_what_the_schema_cannot_say_is_all_it_does_not_refuse() -> None:
    """Each of these is valid by the schema and refused by the code; UNSAID says so."""
    unsaid = (
        GOOD | {"attributes": {"status_code": 404.0}},
        GOOD | {"attributes": {"n": 2**63}},
        GOOD | {"occurred_at": "2025-02-30T10:00:00Z"},
        GOOD | {"occurred_at": "0001-01-01T00:00:00+01:00"},
        GOOD | {"payload": {"n": json.loads("[" * 31 + "]" * 31)}},
        GOOD | {"payload": {"n": "x" * 65536}},
    )
    for event in unsaid:
        assert EVENT.is_valid(event)
        assert not accepted(json.dumps(event).encode())


def test_the_published_files_are_current() -> None:
    for path, text in schema.published().items():
        assert path.read_text(encoding="utf-8") == text, "run: python -m common.events.schema"


def test_the_schemas_are_schemas() -> None:
    Draft202012Validator.check_schema(schema.event_schema())
    Draft202012Validator.check_schema(schema.envelope_schema())


def test_every_field_of_a_struct_is_in_its_schema() -> None:
    for published, struct in ((schema.event_schema(), Event), (schema.envelope_schema(), Envelope)):
        assert list(published["properties"]) == [field.name for field in msgspec.structs.fields(struct)]


def test_the_reference_lists_every_field_and_every_code_with_its_rule() -> None:
    reference = (Path(__file__).parents[2] / "docs" / "reference" / "events.md").read_text(encoding="utf-8")
    fields, _, codes = reference.partition("## Why an event is refused")
    assert re.findall(r"^\| `(\w+)` \| (.*) \|$", codes, re.MULTILINE) == list(CODES.items())
    for struct in (Event, Envelope, Known):
        assert all(f"`{field.name}`" in fields for field in msgspec.structs.fields(struct))
