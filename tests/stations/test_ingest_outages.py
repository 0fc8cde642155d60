"""Ingest while a store is frozen or gone: an answer within five seconds, and nothing claimed that is not there."""

import json
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import psutil
import pytest

from common import settings
from local.hosts.call import Answer
from local.servers.postgres import ROLE, PostgresServer
from local.servers.process import Process
from migrations.apply import apply, migrations
from migrations.prepare import prepare
from tests import servers
from tests.ingesting import EVENT, Ingest, event, invented_key, new_project

PROMISED = 5.0
SPARE = 0.5  # for a machine with other work


@pytest.fixture(scope="module")
def cluster() -> Iterator[PostgresServer]:
    """A Postgres of our own, to freeze and to stop."""
    server = PostgresServer(servers.home() / "servers" / "postgres-to-freeze", throwaway=True)
    server.start()
    owner = server.connect(ROLE, "signals")
    apply(owner, migrations())
    prepare(owner, settings.read({}), datetime.now(UTC).date(), ahead=1)
    owner.close()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def on_kafka(cluster: PostgresServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ingest]:
    made = Ingest("kafka", tmp_path_factory.mktemp("ingest"), cluster.url())
    yield made
    made.close()


@pytest.fixture
def on_postgres(cluster: PostgresServer, tmp_path: Path) -> Iterator[Ingest]:
    made = Ingest("postgres", tmp_path, cluster.url())
    yield made
    made.close()


@contextmanager
def frozen(process: Process | None) -> Iterator[None]:
    """It and everything it started stands still: connections stay open, and nothing is answered."""
    assert process
    everything = [psutil.Process(process.pid), *psutil.Process(process.pid).children(recursive=True)]
    for one in everything:
        one.suspend()
    try:
        yield
    finally:
        for one in everything:
            one.resume()


def timed(call: Callable[[], Answer]) -> Answer:
    began = time.monotonic()
    answer = call()
    assert time.monotonic() - began < PROMISED + SPARE
    return answer


def unavailable(answer: Answer) -> bool:
    known = answer.status == 503 and answer.json()["code"] == "unavailable"
    return known and int(answer.header("retry-after") or 0) > 0


def test_a_frozen_kafka_is_503_in_time_and_every_202_is_on_the_stream(on_kafka: Ingest) -> None:
    ids = [str(uuid4()) for _ in range(4)]
    assert on_kafka.post(event(event_id=ids[0])).status == 202
    with frozen(servers.broker().process), ThreadPoolExecutor(3) as together:
        one = together.submit(timed, lambda: on_kafka.post(event(event_id=ids[1])))
        many = together.submit(timed, lambda: on_kafka.batch([event(event_id=ids[2]), event(event_id=ids[3])]))
        ready = together.submit(timed, lambda: on_kafka.host.request("GET", "/readyz"))
        assert unavailable(one.result())
        assert unavailable(many.result())
        assert unavailable(ready.result())
        assert on_kafka.host.request("GET", "/healthz").status == 200
    wait_for(lambda: on_kafka.post(event(event_id=ids[1])).status == 202)
    assert on_kafka.batch([event(event_id=ids[2]), event(event_id=ids[3])]).json()["event_ids"] == ids[2:]
    records = on_kafka.records(4) + on_kafka.records(4, seconds=1)
    assert {json.loads(record.value or b"")["event_id"] for record in records} == set(ids)


def test_without_postgres_known_keys_and_rates_go_on_and_unknown_keys_are_503(
    on_kafka: Ingest, cluster: PostgresServer
) -> None:
    _, limited = new_project(on_kafka.conn, events_per_minute=60)
    assert on_kafka.post(EVENT, key=limited).status == 202
    assert on_kafka.post(EVENT).status == 202
    with frozen(cluster.process):
        assert unavailable(timed(lambda: on_kafka.post(EVENT, key=invented_key())))
        assert timed(lambda: on_kafka.post(EVENT)).status == 202
        statuses = [timed(lambda: on_kafka.post(EVENT, key=limited)).status for _ in range(80)]
        assert statuses in ([202] * 59 + [429] * 21, [202] * 80)  # the second where a minute turned meanwhile
        assert on_kafka.post(EVENT).status == 202
    wait_for(lambda: on_kafka.post(EVENT, key=invented_key()).status == 401)


def test_a_frozen_log_in_postgres_is_503_in_time(on_postgres: Ingest, cluster: PostgresServer) -> None:
    one = str(uuid4())
    assert on_postgres.post(EVENT).status == 202
    with frozen(cluster.process), ThreadPoolExecutor(4) as together:
        answers = [together.submit(timed, lambda: on_postgres.post(event(event_id=one))) for _ in range(2)]
        answers += [together.submit(timed, lambda: on_postgres.post(EVENT, key=invented_key()))]
        answers += [together.submit(timed, lambda: on_postgres.host.request("GET", "/readyz"))]
        assert all(unavailable(answer.result()) for answer in answers)
    wait_for(lambda: on_postgres.post(event(event_id=one)).status == 202)
    ids = {json.loads(record.value or b"")["event_id"] for record in on_postgres.records(2)}
    assert one in ids


def test_a_postgres_that_is_gone_is_503_and_comes_back_by_itself(on_postgres: Ingest, cluster: PostgresServer) -> None:
    assert on_postgres.post(EVENT).status == 202
    cluster.stop()
    try:
        assert unavailable(timed(lambda: on_postgres.post(EVENT)))
        assert unavailable(timed(lambda: on_postgres.post(EVENT, key=invented_key())))
        assert unavailable(timed(lambda: on_postgres.host.request("GET", "/readyz")))
        assert on_postgres.host.request("GET", "/healthz").status == 200
    finally:
        cluster.start()
    wait_for(lambda: on_postgres.post(EVENT).status == 202)
    wait_for(lambda: on_postgres.host.request("GET", "/readyz").status == 200)
    assert not any("traceback" in line for line in on_postgres.host.lines())


def wait_for(condition: Callable[[], bool], seconds: float = 20) -> None:
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.1)
