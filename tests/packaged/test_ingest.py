"""The bundle of ingest, on every platform: taken and refused alike, and nothing that was answered 202 is lost."""

import gzip
import json
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from uuid import uuid4

import pytest

from common import settings, topics
from common.clients.stream import stream_for, upkeep
from local.hosts.aws import Lambda
from tests.ingesting import EVENT
from tests.packaged.conftest import PLATFORMS, Deployment, Deployments, end
from tests.streams import read

JSON = {"content-type": "application/json"}


def count(deployment: Deployment) -> int:
    ends = deployment.stream.ends(topics.RAW)
    return sum(high - low for low, high in ends.values())


@pytest.mark.parametrize("platform", PLATFORMS)
def test_one_event_many_events_and_compressed_ones_are_taken(on: Deployments, platform: str) -> None:
    host, key = on(platform)("ingest"), {"x-api-key": on(platform).key}
    zipped = {**key, "content-encoding": "gzip", "content-type": "application/octet-stream"}
    before = count(on(platform))
    one = host.request("POST", "/v1/events", {**key, **JSON}, json.dumps(EVENT).encode())
    many = host.request("POST", "/v1/events/batch", zipped, gzip.compress(json.dumps([EVENT] * 9 + [{}]).encode()))
    assert (one.status, many.status, many.json()["accepted"]) == (202, 202, 9)
    assert count(on(platform)) == before + 10


REFUSED = {
    "no key": ("POST", "/v1/events", {}, b"{}", 401),
    "nothing there": ("POST", "/v1/other", {}, b"", 404),
    "not this way": ("GET", "/v1/events", {}, b"", 405),
    "no json": ("POST", "/v1/events", {"x-api-key": ""}, b"\xff{", 422),
    "nothing good": ("POST", "/v1/events/batch", {"x-api-key": ""}, b'[{"a":1},2]', 422),
    "health": ("GET", "/health", {}, b"", 200),
}


@pytest.mark.parametrize("case", REFUSED)
def test_every_platform_gives_the_same_bytes(on: Deployments, case: str) -> None:
    method, path, headers, body, status = REFUSED[case]
    answers = set()
    for platform in PLATFORMS:
        given = JSON | ({"x-api-key": on(platform).key} if "x-api-key" in headers else {})
        answer = on(platform)("ingest").request(method, path, given, body)
        answers.add((answer.status, answer.header("content-type"), answer.header("allow"), answer.body))
    assert len(answers) == 1
    assert answers.pop()[0] in (status, 400)


def test_forked_and_called_at_once_no_acknowledged_event_is_lost(on: Deployments) -> None:
    """functions-framework with two workers, each with its threads."""
    gcp = on("gcp")
    host, reader = gcp("ingest"), gcp.stream.reader(topics.RAW, f"test-{uuid4().hex}")
    ids = [str(uuid4()) for _ in range(60)]

    def post(event_id: str) -> int:
        body = json.dumps(EVENT | {"event_id": event_id}).encode()
        return host.request("POST", "/v1/events", {"x-api-key": gcp.key, **JSON}, body).status

    with ThreadPoolExecutor(12) as together:
        assert set(together.map(post, ids)) == {202}
    found = {json.loads(record.value or b"")["event_id"] for record in read(reader, count(gcp), seconds=10)}
    reader.close()
    assert set(ids) <= found


OTHERS = "pid <> pg_backend_pid() AND datname = current_database() AND backend_type = 'client backend'"


def test_thawed_with_a_dead_connection_it_goes_on(on: Deployments) -> None:
    """OpenWhisk freezes the process between calls; meanwhile the database closed what was open."""
    frozen = on("digitalocean")
    for _ in range(3):
        given = {"x-api-key": frozen.key, **JSON}
        assert frozen("ingest").request("POST", "/v1/events", given, json.dumps(EVENT).encode()).status == 202
        frozen.conn.run(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {OTHERS}")
        while frozen.conn.run(f"SELECT FROM pg_stat_activity WHERE {OTHERS}"):
            time.sleep(0.01)


def test_a_body_larger_than_the_platform_takes_never_reaches_us(on: Deployments) -> None:
    answer = on("digitalocean")("ingest").request("POST", "/v1/events", JSON, b"x" * 1_000_000)
    assert answer.status == 413


def test_the_events_of_one_lambda_process_are_answered_one_by_one(on: Deployments) -> None:
    host = on("aws")("ingest")
    assert isinstance(host, Lambda)
    assert [host.request("GET", "/health").status for _ in range(3)] == [200] * 3


@pytest.mark.parametrize("platform", PLATFORMS)
def test_on_kafka_an_event_that_was_answered_is_in_the_topic(on: Deployments, platform: str, brokers: str) -> None:
    """The client of the bundle, with its own C library, against a real broker."""
    here = on(platform)
    environ = here.environ | {"KAFKA_BROKERS": brokers}
    where = settings.read(environ)
    upkeep.make(here.conn, where, datetime.now(UTC).date(), 1)
    kafka, host = stream_for(where), here.start_with("ingest", environ)
    try:
        before = sum(high for _, high in kafka.ends(topics.RAW).values())
        given = {"x-api-key": here.key, **JSON}
        assert host.request("POST", "/v1/events", given, json.dumps(EVENT).encode()).status == 202
        assert sum(high for _, high in kafka.ends(topics.RAW).values()) == before + 1
    finally:
        end(host)
        kafka.close()
