"""Every vector in fixtures/vectors, through the code. Another language would read the same files."""

import base64
import json
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec
import pytest

from common.errors import Problem
from common.events import identity
from common.events.batch import decode_many
from common.events.envelope import encode, seal
from common.events.reading import decode_one

VECTORS = Path(__file__).parents[2] / "fixtures" / "vectors"
FILES = [
    "accepted", "batches", "fingerprints", "messages", "refused", "routes", "series", "stream_keys", "times"
]  # fmt: skip


def expand(value: Any) -> Any:
    """{"$repeat": [text, n]} stands for n times the text."""
    if isinstance(value, dict):
        if "$repeat" in value:
            text, times = value["$repeat"]
            return text * times
        return {name: expand(item) for name, item in value.items()}
    return [expand(item) for item in value] if isinstance(value, list) else value


def load(name: str) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((VECTORS / f"{name}.json").read_text(encoding="utf-8"))
    return loaded


def cases(name: str) -> list[Any]:
    return [pytest.param(expand(case), id=f"{n}-{case['why']}"[:70]) for n, case in enumerate(load(name)["cases"])]


def sent(case: dict[str, Any]) -> bytes:
    if "base64" in case:
        return base64.b64decode(case["base64"])
    text: str = case["text"] if "text" in case else json.dumps(case["event"], ensure_ascii=False)
    return text.encode()


def exact(value: Any) -> str:
    """As text: 1 is not 1.0, -0.0 is not 0.0, and the order of names counts."""
    return json.dumps(value, ensure_ascii=False)


@pytest.mark.parametrize("case", cases("accepted"))
def test_an_accepted_event_becomes_exactly_this_envelope(case: dict[str, Any]) -> None:
    file = load("accepted")
    made = file["sealed"]
    envelope = seal(
        decode_one(sent(case)),
        made["org_id"],
        made["project_id"],
        datetime.fromisoformat(made["received_at"]),
        lambda: UUID(made["new_id"]),
    )
    assert exact(json.loads(encode(envelope))) == exact(file["base"] | case["envelope"])


@pytest.mark.parametrize("case", cases("refused"))
def test_a_refused_event_names_code_and_field(case: dict[str, Any]) -> None:
    with pytest.raises(Problem) as refusal:
        decode_one(sent(case))
    assert (refusal.value.code, refusal.value.field) == (case["code"], case["field"])


JSON = [case for case in cases("refused") if case.values[0]["code"] != "malformed"]


@pytest.mark.parametrize("case", JSON)  # what is not even JSON may end the array around it
def test_a_refused_event_is_refused_alike_between_good_ones(case: dict[str, Any]) -> None:
    good = b'{"event_type":"signup","occurred_at":"2025-01-15T10:00:00Z","message":"good"}'
    batch = decode_many(b"[%b,%b,%b]" % (good, sent(case), good))
    assert [event.message for event in batch.events] == ["good", "good"]
    assert [(bad.index, bad.code, bad.field) for bad in batch.rejected] == [(1, case["code"], case["field"])]


@pytest.mark.parametrize("case", cases("times"))
def test_a_time_becomes_its_canonical_form_or_is_refused(case: dict[str, Any]) -> None:
    raw = exact({"event_type": "error", "occurred_at": case["text"], "message": "boom"}).encode()
    if "code" in case:
        with pytest.raises(Problem) as refusal:
            decode_one(raw)
        assert (refusal.value.code, refusal.value.field) == (case["code"], "occurred_at")
    else:
        assert json.loads(encode(decode_one(raw)))["occurred_at"] == case["canonical"]


@pytest.mark.parametrize("case", cases("batches"))
def test_a_batch_gives_its_good_events_and_the_place_of_the_bad(case: dict[str, Any]) -> None:
    if "code" in case:
        with pytest.raises(Problem) as refusal:
            decode_many(sent(case))
        assert (refusal.value.code, refusal.value.field) == (case["code"], case["field"])
        return
    batch = decode_many(sent(case))
    assert [event.message for event in batch.events] == case["accepted"]
    assert [{"index": b.index, "code": b.code, "field": b.field} for b in batch.rejected] == case["rejected"]


@pytest.mark.parametrize("case", cases("routes"))
def test_a_route_is_shortened(case: dict[str, Any]) -> None:
    assert identity.shorten(case["route"]) == case["short"]


@pytest.mark.parametrize("case", cases("messages"))
def test_the_first_line_of_a_message_has_marks_for_what_varies(case: dict[str, Any]) -> None:
    assert identity.first_line(case["message"]) == case["line"]


@pytest.mark.parametrize("case", cases("fingerprints"))
def test_a_fingerprint_is_exactly_this_text_with_these_parts(case: dict[str, Any]) -> None:
    found = identity.fingerprint(
        case["event_type"], case["environment"], case.get("error_code"), case.get("route"), case["message"]
    )
    absent = {"error_code": "", "route": "", "message": ""}
    about = {"event_type": case["event_type"], "environment": case["environment"]}
    assert msgspec.structs.asdict(found) == {"text": case["fingerprint"]} | about | absent | case["parts"]


@pytest.mark.parametrize("case", cases("stream_keys"))
def test_a_stream_key_is_exactly_this(case: dict[str, Any]) -> None:
    key = identity.stream_key(
        case["org_id"], case["project_id"], case["event_type"], case.get("error_code"), case.get("route")
    )
    assert key.decode() == case["key"]


@pytest.mark.parametrize("case", cases("series"))
def test_a_series_has_exactly_this_id(case: dict[str, Any]) -> None:
    found = identity.series_id(case["project_id"], case["environment"], case["metric"], case["fingerprint"])
    assert found.hex() == case["id"]


def test_every_file_of_vectors_is_read_and_every_case_says_why() -> None:
    assert sorted(path.stem for path in VECTORS.glob("*.json") if ".schema" not in path.name) == FILES
    for name in FILES:
        whys = [case["why"] for case in load(name)["cases"]]
        assert all(whys)


def test_the_version_of_the_vectors_is_the_version_of_the_code() -> None:
    assert load("fingerprints")["version"] == identity.FINGERPRINT_VERSION
