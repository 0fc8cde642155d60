"""Metrics on real hosts: a page where the process lives, a line a call where it may be gone."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from local.hosts import web
from local.hosts.call import Host
from tests.edges.conftest import ROOT, Hosts

LIVING, SHORT = ("functions-framework", "uvicorn"), ("lambda", "openwhisk")
TOKEN = "a-metrics-token"


def value(page: str, sample: str) -> float:
    return next((float(line.split()[1]) for line in page.splitlines() if line.split()[0] == sample), 0.0)


@pytest.mark.parametrize("kind", LIVING)
def test_on_loopback_the_page_counts_requests_and_not_those_for_itself(hosts: Hosts, kind: str) -> None:
    host, sample = hosts(kind, "http"), 'signals_requests_total{function="sample_http",status="200"}'
    before = value(host.request("GET", "/metrics").body.decode(), sample)
    host.request("GET", "/x")
    answer = host.request("GET", "/metrics")
    assert answer.header("content-type") == "text/plain; version=0.0.4; charset=utf-8"
    assert value(answer.body.decode(), sample) == before + 1


@pytest.mark.parametrize("kind", LIVING)
def test_who_comes_through_a_proxy_finds_no_page_on_loopback(hosts: Hosts, kind: str) -> None:
    passed_on = {"x-forwarded-for": "203.0.113.7"}
    assert b"signals_" not in hosts(kind, "http").request("GET", "/metrics", passed_on).body


@pytest.mark.parametrize("kind", SHORT)
def test_elsewhere_there_is_no_page(hosts: Hosts, kind: str) -> None:
    assert b"signals_" not in hosts(kind, "http").request("GET", "/metrics").body


@pytest.mark.parametrize("kind", SHORT)
def test_a_short_lived_host_writes_what_each_call_has_added(hosts: Hosts, kind: str) -> None:
    host = hosts(kind, "http")
    for _ in range(2):
        host.request("GET", "/x")
    last, before = [line for line in host.lines() if line.get("message") == "metrics"][-1:-3:-1]
    for line in (last, before):  # neither repeats the other's
        assert line["function"] == "sample_http"
        assert line["counters"]['signals_requests_total{function="sample_http",status="200"}'] == 1
        assert sum(count for name, count in line["counters"].items() if "seconds_bucket" in name) == 1


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    home: Path = tmp_path_factory.mktemp("metrics")
    host = web.uvicorn("tests/edges/sample_http.py", home, {"METRICS_TOKEN": TOKEN}, ROOT)
    yield host
    host.stop()


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        ({}, 401),
        ({"authorization": "Bearer wrong"}, 401),
        ({"authorization": TOKEN}, 401),
        ({"authorization": f"Bearer {TOKEN}"}, 200),
        ({"authorization": f"Bearer {TOKEN}", "forwarded": "for=x"}, 200),  # who has the token may come from anywhere
    ],
)
def test_with_a_token_it_is_asked_for(guarded: Host, sent: dict[str, str], status: int) -> None:
    assert guarded.request("GET", "/metrics", sent).status == status
