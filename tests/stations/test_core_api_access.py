"""Who may read and act, what is refused and how, and what every answer bears."""

import gzip
import json
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest

from common import credentials
from local import api_reference
from local.hosts.call import Answer
from local.servers import process
from tests.shop import Shop

MISSING = str(uuid4())


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    with Shop.running(tmp_path_factory.mktemp("shop"), CORS_ORIGINS="https://a.example") as place:
        yield place


@pytest.fixture
def shop(place: Shop) -> Shop:
    return place.move_in()


def invented() -> str:
    return credentials.mint(credentials.ACCESS_TOKEN, uuid4().bytes + uuid4().bytes[:8])


def problem(answer: Answer) -> tuple[int, str]:
    """Every refusal is problem+json with a code."""
    assert answer.header("content-type") == "application/problem+json", answer
    document = answer.json()
    assert document["status"] == answer.status
    assert document["title"]
    assert document["detail"]
    return answer.status, document["code"]


def test_without_a_valid_token_nothing_is_read(shop: Shop) -> None:
    whole = shop.acme.tokens["viewer"]
    for token, code in (
        ("", "missing_token"),
        ("nonsense", "malformed_token"),
        (whole[:-1], "malformed_token"),
        (whole[:-1] + ("a" if whole[-1] != "a" else "b"), "malformed_token"),
        (shop.acme.key, "wrong_kind"),  # a project key cannot read
        (invented(), "unknown_token"),
    ):
        answer = shop.get("/v1/incidents", token, x_forwarded_for="10.0.0.1")
        assert problem(answer) == (401, code)
        assert answer.header("www-authenticate") == "Bearer"
    assert problem(shop.host.request("GET", "/v1/incidents", {"authorization": f"Basic {whole}"})) == (
        401,
        "missing_token",
    )


def test_a_revoked_or_expired_token_is_refused(shop: Shop) -> None:
    revoked, expired = shop.acme.token("viewer", "r"), shop.acme.token("viewer", "e")
    shop.conn.run("UPDATE access_tokens SET revoked_at = now() WHERE token_hash = :h", h=credentials.digest(revoked))
    shop.conn.run("UPDATE access_tokens SET expires_at = now() WHERE token_hash = :h", h=credentials.digest(expired))
    assert problem(shop.get("/v1/incidents", revoked)) == (401, "unknown_token")
    assert problem(shop.get("/v1/incidents", expired)) == (401, "expired_token")


def test_a_used_token_is_marked(shop: Shop) -> None:
    shop.get("/v1/incidents")
    [[used]] = shop.conn.run(
        "SELECT count(*) FROM access_tokens WHERE org_id = :o AND last_used_at IS NOT NULL", o=shop.acme.org
    )
    assert used == 1


def test_whoever_guesses_must_wait(shop: Shop) -> None:
    here, elsewhere = {"x_forwarded_for": "10.9.9.9"}, {"x_forwarded_for": "10.9.9.8"}
    assert shop.get("/v1/incidents", **here).status == 200  # known here before
    refusals = [shop.get("/v1/incidents", invented(), **here) for _ in range(12)]
    assert [answer.status for answer in refusals[:11]] == [401] * 11
    assert problem(refusals[11]) == (429, "slow_down")
    assert int(refusals[11].header("retry-after") or 0) >= 1
    newcomer = shop.acme.token("viewer", "new")
    assert shop.get("/v1/incidents", newcomer, **here).status == 429  # even if it were the right one
    assert shop.get("/v1/incidents", newcomer, **elsewhere).status == 200
    assert shop.get("/v1/incidents", **here).status == 200  # who was here before is left in peace


def test_who_guesses_at_one_token_from_everywhere_must_wait_too(shop: Shop) -> None:
    token = invented()
    for n in range(12):
        guess = token[:9] + invented()[9:33]
        guess += credentials._check(guess)
        answer = shop.get("/v1/incidents", guess, x_forwarded_for=f"10.8.0.{n}")
    assert problem(answer) == (429, "slow_down")


@pytest.mark.parametrize(
    ("method", "path", "body", "least"),
    [
        ("GET", "/v1/incidents", None, "viewer"),
        ("GET", "/v1/projects", None, "viewer"),
        ("POST", f"/v1/incidents/{MISSING}/acknowledge", None, "responder"),
        ("POST", f"/v1/incidents/{MISSING}/comment", {"text": "x"}, "responder"),
        ("POST", f"/v1/incidents/{MISSING}/summarize", None, "responder"),
        ("POST", f"/v1/ai/jobs/{MISSING}/retry", None, "responder"),
        ("POST", "/v1/projects", {"id": "BAD", "name": "x"}, "admin"),
        ("GET", "/v1/projects/nowhere/keys", None, "admin"),
        ("POST", "/v1/projects/nowhere/keys", {"name": "x"}, "admin"),
        ("GET", "/v1/tokens", None, "admin"),
        ("POST", "/v1/tokens", {"name": "x", "role": "god"}, "admin"),
        ("POST", f"/v1/tokens/{MISSING}/revoke", None, "admin"),
    ],
)
def test_each_role_may_do_what_is_its_own(shop: Shop, method: str, path: str, body: object, least: str) -> None:
    content = json.dumps(body).encode() if body else b""
    for role, token in shop.acme.tokens.items():
        answer = shop.call(method, path, token, body=content)
        below = ["viewer", "responder", "admin"].index(role) < ["viewer", "responder", "admin"].index(least)
        assert (answer.status == 403) is below, (role, answer)
        if below:
            assert problem(answer) == (403, "not_allowed")


@pytest.mark.parametrize(
    ("target", "code"),
    [
        ("/v1/incidents?stauts=open", "unknown_parameter"),
        ("/v1/ai/stats?x=1", "unknown_parameter"),
        ("/v1/incidents?status=open&status=open", "repeated_parameter"),
        ("/v1/incidents?status=closed", "invalid"),
        ("/v1/incidents?environment=moon", "invalid"),
        ("/v1/incidents?env=prod&environment=dev", "contradiction"),
        ("/v1/incidents?limit=0", "invalid"),
        ("/v1/incidents?limit=201", "invalid"),
        ("/v1/incidents?limit=1e400", "invalid"),
        ("/v1/incidents?cursor=yesterday", "invalid"),
        ("/v1/incidents?cursor=99999999999999999999~x", "invalid"),
        ("/v1/incidents?project_id=No%20Label", "invalid"),
        ("/v1/incidents?q=%00", "invalid"),
        (f"/v1/incidents?q={'x' * 257}", "invalid"),
        ("/v1/incidents?from=2025-01-15", "invalid"),  # no time of day
        ("/v1/incidents?from=1736935200", "invalid"),
        ("/v1/incidents?from=2025-01-15T10:00:00", "invalid"),  # no offset
        ("/v1/incidents?q=x&from=2025-01-01T00:00:00Z&to=2025-02-02T00:00:00Z", "too_long"),
        ("/v1/search/events?from=2025-01-01T00:00:00Z&to=2025-02-02T00:00:00Z", "too_long"),
        ("/v1/search/events?filters=from:2025-01-01T00:00:00Z,to:2025-02-02T00:00:00Z", "too_long"),
        (f"/v1/search/events?q={'x' * 2049}", "invalid"),
        ("/v1/search/events?cursor=1", "invalid"),
        ("/v1/metrics/trends?step=minute&from=2025-01-01T00:00:00Z&to=2025-01-03T00:00:00Z", "too_many_points"),
        ("/v1/metrics/trends?from=2025-01-03T00:00:00Z&to=2025-01-01T00:00:00Z", "invalid"),
        ("/v1/incidents/not-an-id", "invalid"),
    ],
)
def test_what_is_not_understood_is_422(shop: Shop, target: str, code: str) -> None:
    assert problem(shop.get(target)) == (422, code)


def test_what_is_not_there_is_404_and_what_cannot_be_done_405(shop: Shop) -> None:
    assert problem(shop.get("/v1/nothing")) == (404, "not_found")
    assert problem(shop.get(f"/v1/incidents/{MISSING}")) == (404, "not_found")
    assert problem(shop.get("/v1/incidents?project_id=nowhere")) == (404, "not_found")
    refused = shop.call("DELETE", "/v1/incidents", None)
    assert problem(refused) == (405, "method_not_allowed")
    assert refused.header("allow") == "GET"
    assert shop.call("DELETE", "/v1/projects", None).header("allow") == "GET, POST"
    assert problem(shop.call("POST", "/v1/tokens", shop.acme.tokens["admin"], body=b"{")) == (400, "bad_json")


def test_every_answer_has_a_request_id_and_is_kept_by_nobody(shop: Shop) -> None:
    answers = [shop.get("/v1/incidents"), shop.get("/v1/incidents", ""), shop.get("/v1/nothing")]
    assert len({answer.header("x-request-id") for answer in answers}) == 3
    assert {answer.header("cache-control") for answer in answers} == {"private, no-store"}
    assert shop.get("/v1/incidents", x_request_id="mine-12345").header("x-request-id") == "mine-12345"
    assert shop.get("/v1/incidents", x_request_id="a b").header("x-request-id") != "a b"


def test_a_request_is_in_the_log_by_its_id(shop: Shop) -> None:
    shop.get("/v1/incidents?x=1", x_request_id="in-the-log")

    def lines() -> list[int]:
        return [line["status"] for line in shop.host.lines() if line.get("request_id") == "in-the-log"]

    process.wait_until(lambda: bool(lines()), shop.host.process, 10)  # it is written after the answer
    assert lines() == [422]


def test_what_has_not_changed_is_not_sent_again(shop: Shop) -> None:
    incident = shop.acme.incident()
    for target in ("/v1/incidents", f"/v1/incidents/{incident}", "/openapi.json"):
        first = shop.get(target)
        again = shop.get(target, if_none_match=first.header("etag") or "")
        assert (again.status, again.body) == (304, b""), target
    etag = shop.get("/v1/incidents").header("etag")
    shop.conn.run("UPDATE incidents SET peak = peak + 1 WHERE id = :id", id=incident)
    assert shop.get("/v1/incidents", if_none_match=etag or "").status == 200


def test_large_answers_are_compressed_for_who_can_read_them(shop: Shop) -> None:
    for n in range(5):
        shop.acme.incident(route=f"/{n}")
    packed = shop.get("/v1/incidents", accept_encoding="gzip")
    assert packed.header("content-encoding") == "gzip"
    assert json.loads(gzip.decompress(packed.body)) == shop.get("/v1/incidents").json()


def test_pages_of_other_origins_may_call_only_if_configured(shop: Shop) -> None:
    asked = {"access_control_request_method": "GET", "access_control_request_headers": "authorization"}
    friend = shop.call("OPTIONS", "/v1/incidents", "", {"origin": "https://a.example", **asked})
    assert friend.header("access-control-allow-origin") == "https://a.example"
    stranger = shop.call("OPTIONS", "/v1/incidents", "", {"origin": "https://b.example", **asked})
    assert stranger.header("access-control-allow-origin") is None


def test_head_and_health_are_answered(shop: Shop) -> None:
    assert shop.call("HEAD", "/v1/incidents", None).status == 200
    for path in ("/health", "/healthz", "/readyz"):
        assert shop.get(path, "").status == 200


def documented(shop: Shop) -> dict[str, Any]:
    document: dict[str, Any] = shop.get("/openapi.json", "").json()
    return document


def test_the_description_is_complete_and_promises_no_other_errors(shop: Shop) -> None:
    document = documented(shop)
    assert document["openapi"].startswith("3.1")
    assert "HTTPValidationError" not in json.dumps(document)
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            assert operation["description"], path
            for status, answer in operation["responses"].items():
                if status == "304":
                    continue
                [(kind, content)] = answer["content"].items()
                assert kind == ("application/json" if status < "400" else "application/problem+json")
                assert content["example"] is not None, (path, method, status)


def test_the_page_for_people_fetches_nothing(shop: Shop) -> None:
    page = shop.get("/docs", "")
    text = page.body.decode()
    assert page.header("content-type") == "text/html; charset=utf-8"
    assert "default-src 'none'" in (page.header("content-security-policy") or "")
    assert "<script" not in text
    assert "http" not in text.replace("http_request", "").replace("HTTP", "")
    assert all(path in text for path in documented(shop)["paths"])


def test_the_page_of_reference_is_current(shop: Shop) -> None:
    assert api_reference.PAGE.read_text() == api_reference.page(documented(shop)), "run `python -m local.api_reference`"
