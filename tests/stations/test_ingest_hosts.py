"""Ingest as Lambda and as an OpenWhisk action; what a cold start may load; and the end of everybody's patience."""

import asyncio
import gzip
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from common.clients import stream
from common.clients.postgres.keys import Project
from common.clients.stream import pending
from common.clients.stream.pending import Pending
from common.edge.values import Request
from common.errors import Unavailable
from functions.ingest import main
from functions.ingest.access import Access
from local.hosts import aws, openwhisk
from local.hosts.call import Host
from local.hosts.web import environment
from tests import servers
from tests.ingesting import EVENT, SOURCE, Ingest, invented_key

HOSTS: dict[str, Callable[..., Host]] = {"lambda": aws.Lambda, "openwhisk": openwhisk.OpenWhisk}


@pytest.fixture(scope="module")
def ingest(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ingest]:
    made = Ingest("postgres", tmp_path_factory.mktemp("ingest"))
    yield made
    made.close()


@pytest.mark.parametrize("kind", HOSTS)
def test_other_platforms_take_and_refuse_the_same(kind: str, ingest: Ingest, tmp_path: Path) -> None:
    host = HOSTS[kind](SOURCE, tmp_path, ingest.environ, servers.ROOT)
    try:
        key = {"x-api-key": ingest.key, "content-type": "application/json"}
        zipped = {**key, "content-encoding": "gzip", "content-type": "application/octet-stream"}
        one = host.request("POST", "/v1/events", key, json.dumps(EVENT).encode())
        many = host.request("POST", "/v1/events/batch", zipped, gzip.compress(json.dumps([EVENT, {}]).encode()))
        stranger = host.request("POST", "/v1/events", {"x-api-key": invented_key()}, b"{}")
        assert (one.status, many.status, stranger.status) == (202, 202, 401)
        assert many.json()["accepted"] == len(many.json()["rejected"]) == 1
        assert host.request("GET", "/v1/events", key).header("allow") == "POST"
        assert host.request("GET", "/health").status == 200
        assert len(ingest.records(2)) == 2
    finally:
        host.stop()


HEAVY = {
    "flask", "starlette", "fastapi", "pydantic", "httpx", "openai", "opensearchpy", "urllib3", "boto3", "botocore",
    "functions_framework", "uvicorn", "werkzeug", "jinja2", "confluent_kafka", "pg8000",
}  # fmt: skip
OF_POSTGRES, OF_KAFKA = {"pg8000"}, {"confluent_kafka"}


def loaded(environ: dict[str, str], calls: str) -> set[str]:
    """The heavy modules of a fresh interpreter that has loaded ingest and answered a few calls."""
    code = f"import sys, json; from functions.ingest import main; {calls}\nprint(json.dumps(sorted(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=servers.ROOT,
        env=environment(environ),
        capture_output=True,
        text=True,
        check=True,
        timeout=30,
    )
    return HEAVY & set(json.loads(done.stdout.splitlines()[-1]))


def lambda_call(path: str, key: str) -> str:
    event = aws.http_event("POST", path, {"x-api-key": key}, json.dumps(EVENT).encode())
    return f"print(main.aws({event!r}, None)['statusCode']);"


def action_call(path: str, key: str) -> str:
    http = {"method": "POST", "path": path, "headers": {"x-api-key": key}, "body": json.dumps(EVENT)}
    return f"print(main.main({{'http': {http!r}}})['statusCode']);"


@pytest.mark.parametrize("call", [lambda_call, action_call])
def test_a_cold_start_loads_a_database_only_when_one_must_be_asked(
    ingest: Ingest, call: Callable[[str, str], str]
) -> None:
    assert loaded({}, "") == set()
    assert loaded(ingest.environ, call("/health", "") + call("/v1/events", "") + call("/v1/events", "sck_x")) == set()
    assert loaded(ingest.environ, call("/v1/events", ingest.key)) == OF_POSTGRES
    ingest.records(1)


def test_with_kafka_a_database_is_loaded_for_keys_alone(ingest: Ingest, brokers: str) -> None:
    environ = {"DATABASE_URL": ingest.url, "KAFKA_BROKERS": brokers}
    assert loaded(environ, lambda_call("/v1/events", invented_key())) == OF_POSTGRES
    assert loaded(environ, lambda_call("/readyz", "")) == OF_KAFKA


def test_whatever_is_slow_the_caller_hears_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each part of an answer has its own patience; together they must not exceed the promised five seconds."""

    async def never(*_: Any) -> Any:
        await asyncio.get_running_loop().create_future()

    async def work() -> None:
        monkeypatch.setattr(main, "access", cache(knowing))
        monkeypatch.setattr(main, "publish", never)
        monkeypatch.setattr(main, "ANSWER_SECONDS", 0.1)
        with pytest.raises(Unavailable):
            await main.handle(sent(invented_key()))

    assert main.ANSWER_SECONDS < 5
    asyncio.run(work())


def test_a_stream_that_never_answers_is_waited_for_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """The key is known by the second request: then nothing limits it but the patience with the stream."""

    class Silent:
        def publish(self, *_: object) -> Pending:
            return Pending()

    async def work() -> None:
        monkeypatch.setattr(main, "access", cache(knowing))
        monkeypatch.setattr(stream, "shared", Silent)
        monkeypatch.setattr(pending, "WAIT_SECONDS", 0.1)
        key = invented_key()
        for _ in range(2):
            with pytest.raises(Unavailable):
                await asyncio.wait_for(main.handle(sent(key)), main.ANSWER_SECONDS - 1)

    assert pending.WAIT_SECONDS < 5
    asyncio.run(work())


def knowing() -> Access:
    """Every key is the shop's."""
    return Access(lambda keys: dict.fromkeys(keys, Project("shop", "acme", None)), lambda _: None, lambda: 0.0)


def sent(key: str) -> Request:
    return Request("POST", "/v1/events", "", {"x-api-key": key}, json.dumps(EVENT).encode())
