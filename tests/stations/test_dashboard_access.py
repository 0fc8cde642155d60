"""Who may see the dashboard, what is refused and in which words, and what every answer bears."""

import gzip
import json
import subprocess
import sys
from collections.abc import Iterator
from uuid import uuid4

import pytest

from common import credentials
from functions.dashboard.application import POLICY, ROUTES
from local.hosts.call import Answer
from local.hosts.web import environment
from tests import servers
from tests.dashboard import Dashboard, Reader, csrf_in, notice_in

NOTHING = "There is nothing here, or it is not yours."


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dashboard]:
    with Dashboard.running(tmp_path_factory.mktemp("dashboard"), PUBLIC_URL="https://signals.example") as place:
        yield place


@pytest.fixture
def dashboard(place: Dashboard) -> Dashboard:
    place.move_in()
    return place


def invented() -> str:
    return credentials.mint(credentials.ACCESS_TOKEN, uuid4().bytes + uuid4().bytes[:8])


def test_whoever_is_not_signed_in_is_sent_to_sign_in_and_then_to_where_he_was_going(dashboard: Dashboard) -> None:
    reader = Reader(dashboard)
    answer = reader.get("/search?q=a%20b&range=24h")
    assert answer.status == 303
    assert answer.header("location") == "/sign-in?next=%2Fsearch%3Fq%3Da%2520b%26range%3D24h"
    form = reader.text(answer.header("location") or "")
    assert 'name="next" value="/search?q=a%20b&amp;range=24h"' in form
    done = reader.sign_in(dashboard.acme.tokens["viewer"], next="/search?q=a%20b&range=24h")
    assert (done.status, done.header("location")) == (303, "/search?q=a%20b&range=24h")


def test_the_cookie_is_signed_for_us_alone_and_holds_no_token(dashboard: Dashboard) -> None:
    token = dashboard.acme.tokens["viewer"]
    reader = Reader(dashboard)
    answer = reader.sign_in(token, zone="Europe/Paris")
    [cookie] = [said for said in answer.all("set-cookie") if said.startswith("session=")]
    assert {"HttpOnly", "Secure", "SameSite=lax"} <= set(cookie.split("; "))
    assert token not in cookie
    assert "Times are Europe/Paris" in reader.text("/jobs")


def test_a_cookie_that_was_changed_is_nobodys(dashboard: Dashboard) -> None:
    reader = dashboard.reader()
    reader.cookies["session"] = reader.cookies["session"][:-1] + "x"
    assert reader.get("/jobs").status == 303


def test_signing_out_forgets_the_cookie(dashboard: Dashboard) -> None:
    reader = dashboard.reader()
    answer = reader.post("/sign-out")
    assert (answer.status, answer.header("location")) == (303, "/sign-in")
    assert "session" not in reader.cookies
    assert reader.get("/jobs").status == 303


@pytest.mark.parametrize("token", ["nonsense", "sct_" + "a" * 39, invented()])
def test_a_token_nobody_knows_is_refused_in_the_form(dashboard: Dashboard, token: str) -> None:
    answer = Reader(dashboard, "10.2.2.2").sign_in(token)
    assert answer.status == 401
    assert "That token is not known, or it was revoked." in answer.body.decode()
    assert token not in answer.body.decode()


def test_an_expired_token_is_told_so_and_the_way_back_is_kept(dashboard: Dashboard) -> None:
    token = dashboard.acme.token("viewer", "brief")
    reader = dashboard.reader(token)
    digest = credentials.digest(token)
    dashboard.conn.run("UPDATE access_tokens SET expires_at = now() WHERE token_hash = :h", h=digest)
    answer = Reader(dashboard).sign_in(dashboard.acme.token("viewer", "other"))
    assert answer.status == 303
    late = Reader(dashboard).sign_in(token)  # this process has seen it good: within half a minute it still is
    assert late.status in (303, 401)
    form = reader.text("/sign-in?next=%2Fjobs&why=expired_token")
    assert "Your token expired. Sign in to go on where you were." in form
    assert 'value="/jobs"' in form


def test_whoever_guesses_must_wait_here_as_in_the_api(dashboard: Dashboard) -> None:
    guesser = Reader(dashboard, "10.7.7.7")
    answers = [guesser.sign_in(invented()) for _ in range(12)]
    assert [answer.status for answer in answers[:11]] == [401] * 11
    assert answers[11].status == 429
    assert "Too many tries. Try again in " in answers[11].body.decode()
    assert dashboard.reader(address="10.7.7.8").get("/jobs").status == 200


@pytest.mark.parametrize("to", ["https://evil.example", "//evil.example", "/\\evil.example", "/a\r\nx: y"])
def test_signing_in_leads_nowhere_else(dashboard: Dashboard, to: str) -> None:
    answer = Reader(dashboard).sign_in(dashboard.acme.tokens["viewer"], next=to)
    assert (answer.status, answer.header("location")) == (303, "/")
    assert answer.header("x") is None


def test_every_answer_bears_the_policy_and_is_kept_by_nobody(dashboard: Dashboard) -> None:
    reader = dashboard.reader()
    for target in ("/", "/incidents", "/search", "/jobs", "/setup", "/sign-in", "/nothing", "/jobs?part=live"):
        answer = reader.get(target)
        assert answer.header("content-security-policy") == POLICY, target
        assert answer.header("cache-control") == "private, no-store", target
        assert answer.header("x-content-type-options") == "nosniff"
        assert answer.header("x-request-id")
        text = answer.body.decode()
        assert not [bad for bad in (" style=", "<style", " onclick", "javascript:", "data:") if bad in text], target


def test_style_script_and_icons_are_kept_for_a_year_under_names_that_change(dashboard: Dashboard) -> None:
    reader = Reader(dashboard)
    page = reader.text("/sign-in")
    sizes = {}
    for part in page.split('"'):
        if part.startswith("/static/"):
            answer = reader.get(part)
            assert answer.status == 200
            assert answer.header("cache-control") == "public, max-age=31536000, immutable"
            sizes[part.rpartition(".")[2]] = len(answer.body)
    assert sizes["css"] <= 24 * 1024
    assert sizes["js"] <= 10 * 1024
    assert reader.get("/static/style.css").status == 404


def test_pages_are_compressed_where_that_is_asked_for(dashboard: Dashboard) -> None:
    answer = dashboard.reader().get("/setup", **{"accept-encoding": "gzip"})
    assert answer.header("content-encoding") == "gzip"
    assert b"<h1>Setup</h1>" in gzip.decompress(answer.body)


def posts() -> list[str]:
    return [route.path for route in ROUTES if "POST" in (route.methods or ()) and "{path" not in route.path]


@pytest.mark.parametrize("path", posts())
def test_a_form_that_did_not_come_from_our_page_does_nothing(dashboard: Dashboard, path: str) -> None:
    reader, other = dashboard.reader(role="admin"), dashboard.reader(role="admin")
    target = path.replace("{id:uuid}", str(uuid4())).replace("{project}", dashboard.acme.project)
    for csrf in ("", "00" * 32, csrf_in(other.text("/setup"))):
        assert reader.post(target, csrf=csrf, name="x", token=dashboard.acme.tokens["admin"]).status == 403
    assert dashboard.conn.run("SELECT count(*) FROM audit WHERE org_id = :org", org=dashboard.acme.org) == [[0]]


@pytest.mark.parametrize("role", ["viewer", "responder"])
def test_a_role_is_refused_what_is_not_its_own(dashboard: Dashboard, role: str) -> None:
    reader = dashboard.reader(role=role)
    job = dashboard.acme.job(dashboard.acme.incident())
    project, key = dashboard.acme.project, dashboard.acme.key_id
    answers = {
        "/setup/keys": reader.post("/setup/keys", project=project, name="x"),
        "/setup/tokens": reader.post("/setup/tokens", name="x", role="admin"),
        "/setup/projects": reader.post("/setup/projects", id="x", name="x"),
        "revoke": reader.post(f"/setup/keys/{project}/{key}/revoke", name="one"),
    }
    assert {answer.status for answer in answers.values()} == {403}
    assert reader.post(f"/jobs/{job}/retry").status == (403 if role == "viewer" else 303)
    page = reader.text("/setup") + reader.text("/jobs")
    assert "Make a key" not in page
    assert ("Try again" in page) is False


def test_what_is_not_there_is_said_in_words(dashboard: Dashboard) -> None:
    reader = dashboard.reader()
    for target in ("/nothing", "/jobs?incident=x", "/setup?project=nope", f"/incidents/{uuid4()}"):
        answer = reader.get(target)
        assert (answer.status, NOTHING in answer.body.decode()) == (404, True), target


def test_it_says_whether_it_lives_and_whether_it_can_work(dashboard: Dashboard) -> None:
    anyone = Reader(dashboard)
    for target, status in (("/health", "ok"), ("/healthz", "ok"), ("/readyz", "ready")):
        assert anyone.get(target).json()["status"] == status


def test_a_poll_of_whoever_is_signed_out_is_401_and_not_a_page(dashboard: Dashboard) -> None:
    assert Reader(dashboard).get("/jobs?part=live").status == 401


def test_a_poll_is_answered_304_until_something_changes(dashboard: Dashboard) -> None:
    reader = dashboard.reader()
    dashboard.acme.incident()

    def poll(etag: str | None = None) -> Answer:
        return reader.get("/jobs?part=live", **({"if-none-match": etag} if etag else {}))

    first = poll()
    assert first.status == 200
    assert "<section" in first.body.decode()
    assert "<header" not in first.body.decode()
    same = [poll(first.header("etag")) for _ in range(2)]
    assert 304 in {answer.status for answer in same}  # twice: the minute may turn between two of them
    dashboard.acme.job(dashboard.acme.incident(route="/other"))
    assert poll(first.header("etag")).status == 200


def test_a_section_keeps_its_version_while_it_says_the_same(dashboard: Dashboard) -> None:
    reader = dashboard.reader()
    dashboard.acme.job(dashboard.acme.incident())
    one, two = reader.text("/jobs"), reader.text("/jobs?part=live")
    versions = [part.split('"')[1] for part in one.split("data-v=")[1:]]
    assert versions == [part.split('"')[1] for part in two.split("data-v=")[1:]]
    assert len(versions) >= 3


def test_a_notice_is_shown_once_and_cannot_be_written_by_others(dashboard: Dashboard) -> None:
    reader = dashboard.reader(role="admin")
    reader.post("/setup/projects", id=f"p-{uuid4().hex[:8]}", name="Another")
    assert "is made" in notice_in(reader.text("/setup"))
    assert notice_in(reader.text("/setup")) == ""
    reader.cookies["notice"] = "eyJ0ZXh0IjoieCIsInVuZG8iOiIifQ." + "0" * 64
    assert notice_in(reader.text("/setup")) == ""


def test_a_cold_start_loads_no_more_than_pages_need() -> None:
    code = """
import json, sys, time
began = time.process_time()
import functions.dashboard.main
print(json.dumps([time.process_time() - began, sorted(sys.modules)]))
"""
    words = [sys.executable, "-c", code]
    done = subprocess.run(
        words, cwd=servers.ROOT, env=environment({}), capture_output=True, text=True, check=True, timeout=30
    )
    _, loaded = json.loads(done.stdout)
    assert not {"fastapi", "pydantic", "openai", "httpx", "flask", "confluent_kafka", "functions_framework"} & set(
        loaded
    )
