"""An app (Starlette, FastAPI) answers the same in every host, its failures as every other function's."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http.client import IncompleteRead
from typing import Any

import pytest
from fastapi import FastAPI
from starlette.applications import Starlette

from common import edge
from common.edge.values import BODY_LIMIT
from common.errors import Misconfigured
from tests.edges.conftest import KINDS, ROOT, Hosts, listen
from tests.edges.normal import OWN_ADDRESS, normal
from tests.edges.test_http import everywhere

FORM = {"content-type": "application/x-www-form-urlencoded"}
JSON = {"content-type": "application/json"}
HTML = {"accept-encoding": "gzip"}


@pytest.mark.parametrize(
    ("sample", "method", "target", "headers", "body", "status"),
    [
        ("starlette", "GET", "/page", HTML, b"", 200),  # links, two cookies, compressed where it can be
        ("starlette", "GET", "/page", {}, b"", 200),
        ("starlette", "GET", "/items/%C3%A4%20b?x=1&x=2", {"cookie": "a=b; c=d"}, b"", 200),
        ("starlette", "POST", "/sign-in", FORM, b"a=1&b=2", 303),
        ("starlette", "GET", "/latin", {}, b"", 200),  # bytes that are no text
        ("starlette", "GET", "/chunks", {}, b"", 200),
        ("starlette", "GET", "/folder", {}, b"", 307),  # Starlette's own redirect to /folder/
        ("starlette", "GET", "/nowhere", {}, b"", 404),
        ("starlette", "DELETE", "/page", {}, b"", 405),  # and says what is allowed
        ("starlette", "GET", "/fail/problem", {}, b"", 422),
        ("starlette", "GET", "/fail/unavailable", {}, b"", 503),
        ("starlette", "GET", "/fail/bug", {}, b"", 500),
        ("fastapi", "POST", "/orders", JSON, b'{"name": "x", "count": 1}', 200),
        ("fastapi", "POST", "/orders", JSON, b'{"name": "x", "count": "many"}', 422),
        ("fastapi", "POST", "/orders", JSON, b'{"name": ', 400),
        ("fastapi", "GET", "/plain/7?q=%C3%A4", {}, b"", 200),
        ("fastapi", "GET", "/plain/seven", {}, b"", 422),
        ("fastapi", "GET", "/later", {}, b"", 200),  # a task fails after the answer
        ("fastapi", "GET", "/fail/problem", {}, b"", 422),
        ("fastapi", "GET", "/fail/unavailable", {}, b"", 503),
        ("fastapi", "GET", "/fail/bug", {}, b"", 500),
    ],
)
def test_a_request_is_answered_the_same_everywhere(
    hosts: Hosts, sample: str, method: str, target: str, headers: dict[str, str], body: bytes, status: int
) -> None:
    answer = everywhere(hosts, sample, method, target, headers, body)
    assert answer.status == status
    if status >= 400:
        assert answer.header("content-type") == "application/problem+json"
        assert answer.json()["status"] == status


def test_links_lead_back_to_where_the_app_is_mounted(hosts: Hosts) -> None:
    for kind, host in hosts.all("starlette").items():
        page = host.request("GET", "/page").body.decode()
        link = page.partition("href='")[2].partition("'")[0]
        assert OWN_ADDRESS.match(link.encode()), (kind, link)
        assert link.endswith("/items/ab"), (kind, link)
        redirect = host.request("GET", "/folder").header("location") or ""
        assert OWN_ADDRESS.sub(b"", redirect.encode()) == b"/folder/", (kind, redirect)
    assert "/api/v1/web/" in hosts("openwhisk", "starlette").request("GET", "/folder").header("location")  # type: ignore[operator]


def test_a_named_stage_is_part_of_the_links(hosts: Hosts) -> None:
    from local.hosts.aws import Lambda

    host = Lambda("tests/edges/sample_starlette.py", hosts.home, cwd=ROOT, stage="prod")
    try:
        assert "https://127.0.0.1/prod/items/" in host.request("GET", "/page").body.decode()
        assert host.request("GET", "/folder").header("location") == "https://127.0.0.1/prod/folder/"
    finally:
        host.stop()


def test_head_is_a_get_without_its_body(hosts: Hosts) -> None:
    for sample, target in (("starlette", "/page"), ("fastapi", "/plain/7")):
        for kind, host in hosts.all(sample).items():
            answer = host.request("HEAD", target)
            assert (answer.status, answer.body) == (200, b""), kind


def test_digitalocean_is_sent_no_compressed_text(hosts: Hosts) -> None:
    plain = hosts("openwhisk", "starlette").request("GET", "/page", HTML)
    packed = hosts("lambda", "starlette").request("GET", "/page", HTML)
    assert (plain.header("content-encoding"), packed.header("content-encoding")) == (None, "gzip")
    assert normal(plain) == normal(packed)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("sample", ["starlette", "fastapi"])
def test_a_bug_is_one_line_with_one_traceback(hosts: Hosts, kind: str, sample: str) -> None:
    log = listen(hosts(kind, sample))
    log.host.request("GET", "/fail/bug")
    log.host.request("GET", "/fail/problem")  # so that a second traceback would have come before this line
    bug, _problem = log.new(2)
    assert (bug["level"], bug["status"], bug["error"]) == ("error", 500, "KeyError: 'a bug'")
    assert f"sample_{sample}.py" in json.dumps(bug["traceback"])
    assert len(list(bug["traceback"])) < 12  # type: ignore[call-overload]  # the frameworks' frames are folded


@pytest.mark.parametrize("kind", ["functions-framework", "uvicorn"])
def test_half_an_answer_is_cut_where_it_has_begun(hosts: Hosts, kind: str) -> None:
    log = listen(hosts(kind, "starlette"))
    with pytest.raises(IncompleteRead):
        log.host.request("GET", "/broken")
    assert log.new()[0]["begun"] == 200


@pytest.mark.parametrize("kind", ["lambda", "openwhisk"])
def test_half_an_answer_is_500_where_it_is_collected(hosts: Hosts, kind: str) -> None:
    answer = hosts(kind, "starlette").request("GET", "/broken")
    assert (answer.status, answer.json()["code"]) == (500, "internal")


@pytest.mark.parametrize("kind", KINDS)
def test_a_task_that_fails_after_the_answer_is_in_the_log(hosts: Hosts, kind: str) -> None:
    log = listen(hosts(kind, "fastapi"))
    assert log.host.request("GET", "/later").json() == {"answered": True}
    line: dict[str, Any] = log.new()[0]
    assert (line["level"], line["error"]) == ("error", "KeyError: 'after the answer'")


@pytest.mark.parametrize("kind", KINDS)
def test_a_body_over_the_limit_is_413(hosts: Hosts, kind: str) -> None:
    answer = hosts(kind, "fastapi").request("POST", "/orders", JSON, b" " * (BODY_LIMIT + 1))
    assert (answer.status, answer.json()["code"]) == (413, "too_large")


@asynccontextmanager
async def lifespan(_app: Starlette) -> AsyncIterator[None]:
    yield


@pytest.mark.parametrize("app", [Starlette(lifespan=lifespan), FastAPI(lifespan=lifespan)])
def test_an_app_with_a_lifespan_is_refused(app: Starlette) -> None:
    with pytest.raises(Misconfigured, match="lifespan"):
        edge.app(app)
