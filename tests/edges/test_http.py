"""One function over HTTP: the same request has the same answer in every host, whether plain or awaited."""

import json
from base64 import b64decode

import pytest

from common.edge.values import BODY_LIMIT
from local.hosts.call import Answer
from tests.edges.conftest import KINDS, Hosts, listen
from tests.edges.normal import normal

JSON = {"content-type": "application/json"}
BIG = b"x" * (BODY_LIMIT + 1)


def everywhere(
    hosts: Hosts, sample: str, method: str, target: str, headers: dict[str, str] | None = None, body: bytes = b""
) -> Answer:
    """The answer all hosts agree on."""
    answers = {kind: host.request(method, target, headers, body) for kind, host in hosts.all(sample).items()}
    distinct = {kind: normal(answer) for kind, answer in answers.items()}
    first = distinct["uvicorn"]
    assert distinct == dict.fromkeys(distinct, first)
    return answers["uvicorn"]


@pytest.mark.parametrize("sample", ["http", "async"])
@pytest.mark.parametrize(
    ("method", "target", "headers", "body", "status"),
    [
        ("GET", "/", {}, b"", 200),
        ("GET", "/v1/events?a=1&b=%C3%BC&a=2", {"cookie": "a=b; c=d", "X-API-Key": "k"}, b"", 200),
        ("POST", "/v1/events", JSON, '{"a": "größer"}'.encode(), 200),
        ("POST", "/v1/events", {"content-type": "text/plain"}, b"text", 200),
        ("PUT", "/caf%C3%A9/a%20b", {"content-type": "application/octet-stream"}, bytes(range(256)), 200),
        ("OPTIONS", "/", {}, b"", 200),
        ("DELETE", "/x", {}, b"", 200),
        ("GET", "/binary", {}, b"", 201),  # and two cookies
        ("GET", "/empty", {}, b"", 204),
        ("GET", "/problem", {}, b"", 422),  # and a header of its own
        ("GET", "/unavailable", {}, b"", 503),
        ("GET", "/bug", {}, b"", 500),
        ("GET", "/misconfigured", {}, b"", 500),
        ("POST", "/", {"content-type": "application/octet-stream"}, BIG[1:], 200),  # exactly the limit
    ],
)
def test_a_request_is_answered_the_same_everywhere(
    hosts: Hosts, sample: str, method: str, target: str, headers: dict[str, str], body: bytes, status: int
) -> None:
    assert everywhere(hosts, sample, method, target, headers, body).status == status


def test_a_handler_gets_what_was_sent(hosts: Hosts) -> None:
    body = bytes(range(256))
    headers = {"content-type": "application/x-thing", "cookie": "a=b; c=d"}
    said = everywhere(hosts, "http", "PUT", "/caf%C3%A9?q=%20x", headers, body).json()
    assert said["path"] == "/café"
    assert said["query"] == "q=%20x"
    assert said["headers"]["cookie"] == "a=b; c=d"
    assert b64decode(said["body"]) == body


def test_head_is_a_get_without_its_body(hosts: Hosts) -> None:
    for kind, host in hosts.all("http").items():
        answer = host.request("HEAD", "/x")
        assert (answer.status, answer.body) == (200, b""), kind
        assert answer.header("content-type") == "application/json", kind


def test_the_four_failures_look_as_the_contract_says(hosts: Hosts) -> None:
    problem = everywhere(hosts, "http", "GET", "/problem")
    assert problem.header("content-type") == "application/problem+json"
    assert problem.json() | {"title": ""} == {
        "title": "",
        "status": 422,
        "code": "too_long",
        "detail": "route is longer than 512.",
        "field": "attributes.route",
    }
    away = everywhere(hosts, "http", "GET", "/unavailable")
    assert away.header("retry-after") == "7"
    assert away.json()["code"] == "unavailable"
    assert everywhere(hosts, "http", "GET", "/bug").json()["code"] == "internal"


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("sample", ["http", "async"])
def test_a_bug_is_one_line_with_one_traceback_and_no_secret(hosts: Hosts, kind: str, sample: str) -> None:
    log = listen(hosts(kind, sample))
    log.host.request("GET", "/bug")
    (line,) = log.new()
    assert (line["level"], line["path"], line["status"]) == ("error", "/bug", 500)
    assert "sample_http.py" in str(line["traceback"])
    assert "verysecret" not in json.dumps(line)
    assert "sck_*****" in str(line["error"])


@pytest.mark.parametrize("kind", KINDS)
def test_a_refusal_is_logged_with_its_reason_and_the_caller_never_sees_the_cause(hosts: Hosts, kind: str) -> None:
    log = listen(hosts(kind, "http"))
    assert b"hunter2" not in log.host.request("GET", "/unavailable").body
    assert log.host.request("GET", "/problem").status == 422
    away, problem = log.new(2)
    assert away["why"] == "ConnectionError: postgres://us:*****@db/x refused"
    assert (problem["level"], problem["code"]) == ("warn", "too_long")
    assert "traceback" not in {**away, **problem}


@pytest.mark.parametrize("kind", KINDS)
def test_a_body_over_the_limit_is_413(hosts: Hosts, kind: str) -> None:
    answer = hosts(kind, "http").request("POST", "/", {"content-type": "application/octet-stream"}, BIG)
    assert (answer.status, answer.json()["code"]) == (413, "too_large")


@pytest.mark.parametrize("kind", ["lambda", "openwhisk"])
@pytest.mark.parametrize("broken", ["//4", "YQ==YQ==", "Y Q=", "Yäo=", "a.b-"])
def test_broken_base64_is_the_callers(hosts: Hosts, kind: str, broken: str) -> None:
    from local.hosts import aws, openwhisk

    event = (aws if kind == "lambda" else openwhisk).http_event("POST", "/", {}, b"\xff\xfe")
    (event if kind == "lambda" else event["http"])["body"] = broken
    result = hosts(kind, "http").invoke(event)  # type: ignore[attr-defined]
    answer = aws.answer_of(result.result) if kind == "lambda" else openwhisk.answer_of(result)
    assert (answer.status, answer.json()["code"]) == (400, "bad_base64")
