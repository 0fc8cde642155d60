"""Every refusal of ingest, over HTTP: its status, its code, its headers; and nothing of it on the stream."""

import gzip
import json
from collections.abc import Iterator

import pytest

from common import credentials, topics
from tests.ingesting import EVENT, Ingest, event, invented_key

ONE, MANY = "/v1/events", "/v1/events/batch"
TOKEN = credentials.mint(credentials.ACCESS_TOKEN, bytes(24))


@pytest.fixture(scope="module")
def ingest(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ingest]:
    made = Ingest("postgres", tmp_path_factory.mktemp("ingest"))
    yield made
    made.close()


@pytest.mark.parametrize(
    ("key", "code"),
    [
        ("", "missing_key"),
        (invented_key(), "unknown_key"),
        (TOKEN, "wrong_kind"),
        (invented_key()[:-2], "malformed_key"),
    ],
)
def test_a_wrong_key_is_401_with_the_reason(ingest: Ingest, key: str, code: str) -> None:
    for path in (ONE, MANY):
        answer = ingest.post(b"not even json", path, key=key)
        assert (answer.status, answer.json()["code"]) == (401, code)
        assert answer.header("www-authenticate") == "Bearer"
        assert answer.header("content-type") == "application/problem+json"


@pytest.mark.parametrize("path", ["/", "/v1", "/v1/event", "/v1/events/batch/x", "/v2/events", "/favicon.ic"])
def test_any_other_path_is_404(ingest: Ingest, path: str) -> None:
    answer = ingest.post(EVENT, path)
    assert (answer.status, answer.json()["code"]) == (404, "not_found")


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH"])
@pytest.mark.parametrize("path", [ONE, MANY])
def test_any_other_method_is_405_and_told_which_to_use(ingest: Ingest, method: str, path: str) -> None:
    answer = ingest.host.request(method, path, {"x-api-key": ingest.key})
    assert (answer.status, answer.json()["code"], answer.header("allow")) == (405, "method_not_allowed", "POST")


@pytest.mark.parametrize(
    ("path", "body", "headers", "status", "code", "field"),
    [
        (ONE, b"{", {}, 400, "malformed", None),
        (ONE, b"", {}, 400, "malformed", None),
        (MANY, b"", {}, 400, "malformed", None),
        (MANY, b"[{]", {}, 400, "malformed", None),
        (ONE, b"plain", {"content-encoding": "gzip"}, 400, "malformed", None),
        (ONE, b"{}", {"content-encoding": "br"}, 415, "unsupported_encoding", None),
        (ONE, json.dumps([EVENT]).encode(), {}, 422, "wrong_type", None),
        (ONE, json.dumps(event(event_id="17")).encode(), {}, 422, "invalid_id", "event_id"),
        (ONE, json.dumps(event(message="x" * 8193)).encode(), {}, 422, "too_long", "message"),
        (ONE, json.dumps(event(attributes={"route": "x" * 513})).encode(), {}, 422, "too_long", "attributes.route"),
        (ONE, json.dumps(event(occurred_at="2025-01-15")).encode(), {}, 422, "invalid_time", "occurred_at"),
        (ONE, json.dumps(event(user="x")).encode(), {}, 422, "unknown_field", "user"),
        (ONE, json.dumps(event(message="a\0b")).encode(), {}, 422, "nul", "message"),
        (MANY, b"[]", {}, 422, "empty", None),
        (MANY, b'{"events": []}', {}, 422, "empty", None),
        (MANY, b'{"events": 5}', {}, 422, "wrong_type", "events"),
        (ONE, json.dumps(event(payload={"x": "y" * 65536})).encode(), {}, 413, "too_large", None),
        (MANY, json.dumps([EVENT] * 1001).encode(), {}, 413, "too_many", None),
        (MANY, bytes(1024 * 1024 + 1), {}, 413, "too_large", None),
        (MANY, bytes(6 * 1024 * 1024 + 1), {}, 413, "too_large", None),
        (MANY, gzip.compress(bytes(20 * 1024 * 1024)), {"content-encoding": "gzip"}, 413, "too_large", None),
    ],
)  # fmt: skip
def test_a_bad_request_is_told_what_is_wrong(
    ingest: Ingest, path: str, body: bytes, headers: dict[str, str], status: int, code: str, field: str | None
) -> None:
    answer = ingest.post(body, path, headers=headers)
    said = answer.json()
    assert (answer.status, said["code"], said.get("field")) == (status, code, field)
    assert said["detail"]
    assert answer.header("content-type") == "application/problem+json"
    assert answer.header("accept-encoding") == ("gzip, deflate" if status == 415 else None)


def test_nothing_that_was_refused_is_on_the_stream(ingest: Ingest) -> None:
    assert all(low == high for low, high in ingest.stream.ends(topics.RAW).values())


def test_a_refusal_is_no_error_of_ours_and_shows_no_key_in_the_log(ingest: Ingest) -> None:
    stranger = invented_key()
    ingest.post(EVENT, key=stranger)
    lines = ingest.host.lines()
    assert any(line.get("code") == "unknown_key" for line in lines)
    assert not any(line.get("level") == "error" for line in lines)
    log = ingest.host.process.log.read_text()
    assert stranger not in log
    assert "Traceback" not in log
