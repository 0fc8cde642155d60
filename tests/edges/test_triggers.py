"""Every trigger of every platform, in its documented shape, through the hosts it can reach."""

import json
from base64 import b64decode
from typing import Any

import pytest

from common import topics
from local.hosts import aws, openwhisk
from local.hosts.call import Answer
from tests.edges.conftest import KINDS, NEW_KEY, ROOT, Hosts, listen

TRIGGERS: dict[str, dict[str, Any]] = {
    path.stem: json.loads(path.read_text()) for path in sorted((ROOT / "fixtures" / "triggers").glob("*.json"))
}
SENT = TRIGGERS["http"]["request"]["body"].encode()
FIFTEEN, SIXTEEN, THREE = (f'{{"event_id":"0195{n:04d}-0000-7000-8000-000000000000",' for n in (15, 16, 3))
KEY, TIME = "acme|shop|E_PAY|/checkout", 1_772_366_400_123


def of(function: str, *, posted: bool) -> list[str]:
    return [name for name, one in TRIGGERS.items() if one["function"] == function and ("request" in one) is posted]


def post(hosts: Hosts, kind: str, name: str, **more: str) -> Answer:
    """A request a platform sends, put to a host."""
    request = TRIGGERS[name]["request"]
    headers, body = request["headers"] | more, request["body"].encode()
    return hosts(kind, TRIGGERS[name]["function"]).request(request["method"], request["target"], headers, body)


def invoke(hosts: Hosts, name: str) -> Any:
    """An event a platform hands over."""
    trigger = TRIGGERS[name]
    host = hosts("lambda" if trigger["platform"].startswith("AWS") else "openwhisk", trigger["function"])
    if isinstance(host, aws.Lambda):
        outcome = host.invoke(trigger["event"])
        assert outcome.error is None
        return outcome.result
    assert isinstance(host, openwhisk.OpenWhisk)
    return host.invoke(trigger["event"])


def is_the_event(said: dict[str, Any]) -> bool:
    headers = {"content-type": "application/json", "cookie": "a=b; c=d", "x-api-key": "sck_example"}
    assert b64decode(said.pop("body")) == SENT
    return said == {"method": "POST", "path": "/v1/events", "query": "source=checkout&n=1", "headers": headers}


@pytest.mark.parametrize("kind", KINDS)
def test_an_event_posted_is_the_event_received(hosts: Hosts, kind: str) -> None:
    assert is_the_event(post(hosts, kind, "http").json())


@pytest.mark.parametrize("name", of("http", posted=False))
def test_an_http_event_is_the_event_received(hosts: Hosts, name: str) -> None:
    result = invoke(hosts, name)
    answer = aws.answer_of(result) if "isBase64Encoded" in result else openwhisk.answer_of(result)
    assert answer.status == 200
    assert is_the_event(answer.json())


def read(lines: list[dict[str, Any]]) -> list[list[Any]]:
    """What the handler said it was given, values by what they begin with."""
    (said,) = (line["read"] for line in lines if "read" in line)
    return [[*fields, value and value.partition('"event_type"')[0]] for *fields, value in said]


BATCH = [
    [topics.RAW, 0, 15, TIME, KEY, FIFTEEN],
    [topics.RAW, 0, 16, TIME, KEY, SIXTEEN],
    [topics.RAW, 7, 3, TIME, None, THREE],
    [topics.RAW, 7, 4, TIME, "acme|shop|signup", None],
]


@pytest.mark.parametrize("name", of("stream", posted=False))
def test_a_batch_from_aws_is_read_and_its_refused_are_buried(hosts: Hosts, name: str) -> None:
    log = listen(hosts("lambda", "stream"))
    assert invoke(hosts, name) == {"batchItemFailures": []}
    assert read(log.new(3)) == BATCH
    assert {"buried": [[7, 4, "not_json"]]} in log.new()


@pytest.mark.parametrize("kind", KINDS)
def test_a_batch_from_the_poller_is_the_same_batch(hosts: Hosts, kind: str) -> None:
    log = listen(hosts(kind, "stream"))
    assert post(hosts, kind, "poller_batch").json() == {"batchItemFailures": []}
    assert read(log.new(3)) == BATCH


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("name", "records"),
    [
        ("knative_kafka_binary", BATCH[:1]),
        ("knative_kafka_structured", BATCH[:1]),
        ("knative_kafka_batch", BATCH[:2]),  # one with data, one with data_base64
        ("knative_kafka_tombstone", BATCH[3:]),  # without data: a record without a value, which is buried
    ],
)
def test_cloud_events_are_records_and_are_answered_without_a_body(
    hosts: Hosts, kind: str, name: str, records: list[list[Any]]
) -> None:
    log = listen(hosts(kind, "stream"))
    answer = post(hosts, kind, name, **{"x-internal-key": NEW_KEY})
    assert (answer.status, answer.body) == (204, b"")
    assert read(log.new(2)) == records


@pytest.mark.parametrize("kind", ["functions-framework", "openwhisk"])
@pytest.mark.parametrize(
    "changed",
    [
        {"ce-id": "0195-some-other-id"},
        {"ce-source": "/apis/v1/namespaces/default/kafkasources/raw"},  # no topic
        {"ce-time": "yesterday"},
        {"ce-time": "2026-03-01T12:00:00"},  # no offset
        {"ce-specversion": "0.3"},
        {"content-type": "application/cloudevents+json"},  # but the body is no CloudEvent
    ],
)
def test_a_cloud_event_that_says_no_place_is_refused(hosts: Hosts, kind: str, changed: dict[str, str]) -> None:
    answer = post(hosts, kind, "knative_kafka_binary", **{"x-internal-key": NEW_KEY}, **changed)
    assert (answer.status, answer.json()["code"]) == (400, "bad_batch")


@pytest.mark.parametrize("name", of("clock", posted=False))
def test_a_schedule_runs_the_jobs_at_the_hosts_own_time(hosts: Hosts, name: str) -> None:
    """The rule's event says 2015; the jobs are not told."""
    kind = "lambda" if TRIGGERS[name]["platform"].startswith("AWS") else "openwhisk"
    log = listen(hosts(kind, "clock"))
    assert "5" in json.dumps(invoke(hosts, name))
    assert not any(str(line.get("second", "")).startswith("2015") for line in log.new())


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", of("clock", posted=True))
def test_a_tick_that_is_posted_runs_the_jobs(hosts: Hosts, kind: str, name: str) -> None:
    assert post(hosts, kind, name, **{"x-internal-key": NEW_KEY}).json() == {"done": 5}


@pytest.mark.parametrize("sample", ["http", "async", "starlette"])
def test_an_event_for_another_kind_of_function_fails_with_the_reason(hosts: Hosts, sample: str) -> None:
    host = hosts("lambda", sample)
    assert isinstance(host, aws.Lambda)
    event = TRIGGERS["aws_kafka_msk"]["event"]
    assert host.invoke(event).error["errorType"] == "Failed"  # type: ignore[index]
    action = hosts("openwhisk", sample)
    assert isinstance(action, openwhisk.OpenWhisk)
    assert action.invoke(TRIGGERS["do_scheduled"]["event"])["error"] == "misconfigured"


def test_every_fixture_is_used_and_names_its_platform() -> None:
    assert {one["function"] for one in TRIGGERS.values()} == {"http", "stream", "clock"}
    assert all({"platform", "trigger", "function"} < one.keys() for one in TRIGGERS.values())
