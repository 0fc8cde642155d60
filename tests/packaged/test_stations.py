"""The bundles of the stations: a batch with one poison record, an outage of the database, and the modules they load."""

import json
from base64 import b64encode
from typing import Any
from uuid import uuid4

import pytest

from common import settings, topics
from common.clients.postgres.connection import Connection
from common.edge.records import Record
from local import seed
from local.hosts.aws import Lambda, Outcome
from local.hosts.call import Host
from local.hosts.event_source import EventSource, Item
from tests import servers
from tests.packaged.conftest import KEY, PLATFORMS, Deployment, Deployments
from tests.stations.test_search_contract import sealed

RAW = ("indexer", "incident_engine", "archiver")
WITH_KEY = {"content-type": "application/json", "x-internal-key": KEY}
DONE: dict[str, list[object]] = {"batchItemFailures": []}


def items(values: list[bytes], topic: str = topics.RAW, partition: int = 3) -> list[Item]:
    place = {"topic": topic, "partition": partition, "timestamp": 1_772_366_400_000, "timestampType": "CREATE_TIME"}
    return [place | {"offset": at, "value": b64encode(value).decode()} for at, value in enumerate(values)]


def feed(host: Host, given: list[Item]) -> Any:
    """As each platform brings a batch: Lambda's event, or the poller's POST."""
    batch = {"records": {f"{given[0]['topic']}-{given[0]['partition']}": given}}
    if isinstance(host, Lambda):
        outcome = host.invoke({"eventSource": "SelfManagedKafka", **batch})
        assert outcome.error is None, outcome.error
        return outcome.result
    answer = host.request("POST", "/", WITH_KEY, json.dumps(batch).encode())
    assert answer.status == 200, answer.body
    return answer.json()


def letters(deployment: Deployment, station: str) -> list[dict[str, Any]]:
    found: list[Record] = list(deployment.stream.scan(topics.DLQ))
    every = [json.loads(record.value or b"") for record in found]
    return [letter for letter in every if letter["station"] == station]


@pytest.mark.parametrize("platform", PLATFORMS)
@pytest.mark.parametrize("station", RAW)
def test_a_poison_record_is_buried_and_the_others_are_done(on: Deployments, station: str, platform: str) -> None:
    here = on(platform)
    values = [sealed("demo", f"event {number}", project_id="demo") for number in range(5)]
    assert feed(here(station), items([*values[:3], b"{poison", *values[3:]])) == DONE
    buried = [(letter["offset"], letter["reason"]["code"]) for letter in letters(here, station)]
    assert buried == ([] if station == "archiver" else [(3, "malformed")])  # an archive keeps what it cannot read
    count = {"indexer": "events", "incident_engine": "progress"}.get(station)
    assert count is None or here.conn.run(f"SELECT count(*) > 0 FROM {count}") == [[True]]


@pytest.mark.parametrize("platform", PLATFORMS)
def test_a_notification_wakes_the_worker_and_a_bad_one_is_buried(on: Deployments, platform: str) -> None:
    given = items([b'{"job_id":"0195a000-0000-7000-8000-000000000001"}', b"none"], topics.AI_JOBS)
    assert feed(on(platform)("ai_worker"), given) == DONE
    assert [letter["reason"]["code"] for letter in letters(on(platform), "ai_worker")] == ["not_a_notification"]


def test_a_database_that_is_down_for_longer_than_any_default_costs_no_event(on: Deployments) -> None:
    """Thirty tries, of which Lambda's own default would be three; nothing is thrown away, nothing counted twice."""
    url = servers.fresh_database()
    name, owner = url.rpartition("/")[2], servers.postgres().connect()
    counted = Connection(settings.read({"DATABASE_URL": url}).database)
    seed.make(counted, on("aws").key, on("aws").token)
    host = on("aws").start_with("incident_engine", {"DATABASE_URL": url, "INTERNAL_KEY": KEY})
    assert isinstance(host, Lambda)
    given = items([sealed("demo", event_id=uuid4(), project_id="demo") for _ in range(40)])
    asked: list[int] = []

    def wait(tries: int) -> None:
        asked.append(tries)
        if tries == 30:
            owner.run(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")

    owner.run(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
    try:
        EventSource(host.invoke, wait, batch_size=16).feed(given)
    finally:
        owner.close()
        host.stop()
    assert len(asked) == 30
    assert counted.run("SELECT sum(value) FROM activity") == [[40]]
    counted.close()
    servers.drop_database(url)


def test_a_record_that_is_a_bug_of_ours_is_alone_in_the_end(on: Deployments) -> None:
    """Bisected to the one record, while all before it are done."""
    host = on("aws")("indexer")
    assert isinstance(host, Lambda)
    done: list[int] = []

    def invoke(event: Any) -> Outcome:
        offsets = [item["offset"] for group in event["records"].values() for item in group]
        if 5 in offsets:
            return Outcome(error={"errorType": "Bug"})
        done.extend(offsets)
        return host.invoke(event)

    with pytest.raises(Exception, match="at 5"):
        EventSource(invoke, lambda _: None, batch_size=8, patience=9).feed(
            items([sealed("demo", project_id="demo")] * 12)
        )
    assert done == [0, 1, 2, 3, 4]
