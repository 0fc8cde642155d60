"""A tick runs its jobs, each after the other's failure, at the host's own time."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from local.hosts import aws, openwhisk
from tests.edges.conftest import KINDS, NEW_KEY, Hosts, listen

WITH_KEY = {"x-internal-key": NEW_KEY}


@pytest.fixture(autouse=True)
def _mended(hosts: Hosts) -> Iterator[None]:
    yield
    hosts.fail_file.unlink(missing_ok=True)


def event(hosts: Hosts, kind: str, given: object) -> Any:
    host = hosts(kind, "clock")
    assert isinstance(host, aws.Lambda | openwhisk.OpenWhisk)
    return host.invoke(given)


@pytest.mark.parametrize("kind", KINDS)
def test_a_post_runs_every_job_and_says_what_was_done(hosts: Hosts, kind: str) -> None:
    log = listen(hosts(kind, "clock"))
    answer = log.host.request("POST", "/", WITH_KEY)
    assert (answer.status, answer.json()) == (200, {"done": 5})
    said = next(line for line in log.new() if "second" in line)
    assert abs(datetime.fromisoformat(str(said["second"])) - datetime.now(UTC)) < timedelta(minutes=1)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("trouble", "status", "code"), [("unavailable", 503, "unavailable"), ("bug", 500, "internal")])
def test_a_job_that_fails_stops_no_other_and_is_answered(
    hosts: Hosts, kind: str, trouble: str, status: int, code: str
) -> None:
    hosts.fail_file.write_text(trouble)
    log = listen(hosts(kind, "clock"))
    answer = log.host.request("POST", "/", WITH_KEY)
    assert (answer.status, answer.json()["code"]) == (status, code)
    failed, second, line = log.new(3)
    assert "second" in second
    assert (failed["job"], failed["code"], line["code"]) == ("sample_clock", code, code)
    assert ("traceback" in failed, "traceback" in line) == (trouble == "bug", False)


@pytest.mark.parametrize("kind", KINDS)
def test_a_tick_needs_the_key_and_a_post(hosts: Hosts, kind: str) -> None:
    assert hosts(kind, "clock").request("POST", "/").status == 401
    assert hosts(kind, "clock").request("GET", "/", WITH_KEY).status == 405


def test_on_aws_a_failed_tick_is_a_failed_invocation(hosts: Hosts) -> None:
    assert event(hosts, "lambda", {"source": "aws.events"}).result == {"done": 5}
    hosts.fail_file.write_text("unavailable")
    assert "Postgres" in event(hosts, "lambda", {"source": "aws.events"}).error["errorMessage"]


def test_a_caller_through_any_gateway_is_no_schedule(hosts: Hosts) -> None:
    """A load balancer's or a REST API's event is HTTP too: it must not run the jobs without a key."""
    for given in ({"requestContext": {"elb": {}}, "httpMethod": "POST", "path": "/"}, {"httpMethod": "POST"}):
        log = listen(hosts("lambda", "clock"))
        assert event(hosts, "lambda", given).result["statusCode"] == 500
        (line,) = log.new()
        assert "payload format 2.0" in str(line["error"])


def test_on_digitalocean_a_failed_trigger_is_a_failed_activation(hosts: Hosts) -> None:
    assert event(hosts, "openwhisk", {"job": "tick"})["body"] == '{"done": 5}'
    hosts.fail_file.write_text("unavailable")
    failed = event(hosts, "openwhisk", {"job": "tick"})
    assert (failed["statusCode"], failed["error"]) == (503, "unavailable")
