"""A batch of records has the same outcome whoever brings it, and nothing of it is lost."""

import json
from base64 import b64encode
from typing import Any

import pytest

from common import topics
from common.edge.values import BODY_LIMIT
from local.hosts.aws import Lambda
from tests.edges.conftest import KINDS, NEW_KEY, OLD_KEY, Hosts, listen

WITH_KEY = {"content-type": "application/json", "x-internal-key": NEW_KEY}


def record(offset: int, key: str | None = None, value: str | None = "{}", **more: object) -> dict[str, object]:
    fields = {"topic": topics.RAW, "partition": 0, "offset": offset, "timestamp": 1_772_366_400_000}
    texts = {"key": key, "value": value}
    return {**fields, **{name: b64encode(text.encode()).decode() for name, text in texts.items() if text}, **more}


def batch(*records: dict[str, object]) -> dict[str, object]:
    """As AWS groups them."""
    groups: dict[str, list[dict[str, object]]] = {}
    for one in records:
        groups.setdefault(f"{one['topic']}-{one['partition']}", []).append(one)
    return {"eventSource": "SelfManagedKafka", "records": groups}


def post(hosts: Hosts, kind: str, body: object, headers: dict[str, str] = WITH_KEY) -> tuple[int, Any]:
    answer = hosts(kind, "stream").request("POST", "/", headers, json.dumps(body).encode())
    return answer.status, answer.json()


def on_aws(hosts: Hosts, event: object) -> Any:
    host = hosts("lambda", "stream")
    assert isinstance(host, Lambda)
    return host.invoke(event)


@pytest.mark.parametrize("kind", KINDS)
def test_the_refused_are_buried_and_the_batch_goes_on(hosts: Hosts, kind: str) -> None:
    log = listen(hosts(kind, "stream"))
    given = batch(record(5, "k", '{"a":1}'), record(6, value=None), record(2, partition=3))
    assert post(hosts, kind, given) == (200, {"batchItemFailures": []})
    read, buried, line = log.new(3)
    assert read["read"] == [
        [topics.RAW, 0, 5, 1_772_366_400_000, "k", '{"a":1}'],
        [topics.RAW, 0, 6, 1_772_366_400_000, None, None],
        [topics.RAW, 3, 2, 1_772_366_400_000, None, "{}"],
    ]
    assert buried["buried"] == [[0, 6, "not_json"]]
    assert (line["records"], line["offsets"], line["refused"]) == (3, {"0": "5-6", "3": "2-2"}, 1)
    assert line["first_refused"] == [{"at": "0/6", "code": "not_json", "detail": "no value"}]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("given", "status", "code"),
    [
        (batch(record(1, "unavailable")), 503, "unavailable"),
        (batch(record(1, "problem")), 422, "too_long"),
        (batch(record(1, "bug")), 500, "internal"),
        (batch(record(1, "no grave", None)), 503, "unavailable"),  # burying failed, so it is not done
        (batch(record(1, topic=topics.DLQ)), 500, "misconfigured"),  # wired to the wrong topic: comes again
        (batch(record(1, value=None) | {"value": "YQ"}), 400, "bad_batch"),  # broken base64
        (batch(record(1) | {"offset": "1"}), 400, "bad_batch"),
        ({"Records": [{"eventSource": "aws:sqs"}]}, 400, "bad_batch"),
        ([], 400, "bad_batch"),
    ],
)
def test_what_fails_a_posted_batch_is_said(hosts: Hosts, kind: str, given: object, status: int, code: str) -> None:
    said = post(hosts, kind, given)
    assert (said[0], said[1]["code"]) == (status, code)


def test_an_empty_batch_is_done(hosts: Hosts) -> None:
    assert post(hosts, "uvicorn", {"records": {}}) == (200, {"batchItemFailures": []})
    assert on_aws(hosts, {"records": {}}).result == {"batchItemFailures": []}


def test_a_batch_that_is_no_json_is_refused(hosts: Hosts) -> None:
    for body in (b"{", b"\xff\xfe", b""):
        answer = hosts("functions-framework", "stream").request("POST", "/", WITH_KEY, body)
        assert (answer.status, answer.json()["code"]) == (400, "bad_batch")


def test_on_aws_an_outage_brings_every_partition_again_from_its_first_record(hosts: Hosts) -> None:
    given = batch(record(7, "unavailable"), record(8), record(3, partition=5))
    failed = [
        {"itemIdentifier": {"partition": f"{topics.RAW}-0", "offset": 7}},
        {"itemIdentifier": {"partition": f"{topics.RAW}-5", "offset": 3}},
    ]
    assert on_aws(hosts, given).result == {"batchItemFailures": failed}
    assert on_aws(hosts, batch(record(9, "no grave", None))).result == {
        "batchItemFailures": [{"itemIdentifier": {"partition": f"{topics.RAW}-0", "offset": 9}}]
    }


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (batch(record(1, "bug")), "KeyError"),
        (batch(record(1, "problem")), "the batch is"),
        (batch(record(1, topic=topics.DLQ)), topics.DLQ),
        (batch(record(1) | {"value": "YQ"}), "base64"),
        ({"source": "aws.events"}, "records"),
    ],
)
def test_on_aws_whatever_else_fails_is_an_error_document(hosts: Hosts, given: object, says: str) -> None:
    log = listen(hosts("lambda", "stream"))
    error = on_aws(hosts, given).error
    assert error["errorType"] == "Failed"
    assert says in error["errorMessage"]
    assert "verysecret" not in json.dumps([error, log.new()])


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("key", [None, "", "wrong", "new-internal-key,old-internal-key", "platform", "ü"])
def test_nobody_without_the_key_gets_in(hosts: Hosts, kind: str, key: str | None) -> None:
    log = listen(hosts(kind, "stream"))
    headers = {"content-type": "application/json"} | ({} if key is None else {"x-internal-key": key})
    said = post(hosts, kind, batch(record(1)), headers)
    assert (said[0], said[1]["code"]) == (401, "internal_key")
    (line,) = log.new()
    assert line["code"] == "internal_key"


def test_both_keys_open_while_the_key_is_being_changed(hosts: Hosts) -> None:
    for key in (NEW_KEY, OLD_KEY):
        assert post(hosts, "uvicorn", batch(record(1)), {"x-internal-key": key})[0] == 200


@pytest.mark.parametrize("kind", ["functions-framework", "uvicorn"])
def test_the_key_is_asked_for_before_the_body_is_read(hosts: Hosts, kind: str) -> None:
    import socket

    host = hosts(kind, "stream")
    with socket.create_connection(("127.0.0.1", host.port), timeout=10) as caller:  # type: ignore[attr-defined]
        caller.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n")  # and never sends it
        assert caller.recv(100).startswith(b"HTTP/1.1 401 ")


@pytest.mark.parametrize("kind", KINDS)
def test_a_batch_over_the_limit_is_413(hosts: Hosts, kind: str) -> None:
    answer = hosts(kind, "stream").request("POST", "/", WITH_KEY, b" " * (BODY_LIMIT + 1))
    assert (answer.status, answer.json()["code"]) == (413, "too_large")


@pytest.mark.parametrize("kind", KINDS)
def test_a_get_is_refused(hosts: Hosts, kind: str) -> None:
    answer = hosts(kind, "stream").request("GET", "/", WITH_KEY)
    assert (answer.status, answer.header("allow")) == (405, "POST")
