"""Search, AI jobs and Setup: what they show, what their forms do, and what that leaves behind."""

import html
import json
import re
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from common import credentials
from tests.dashboard import Dashboard, Reader, notice_in, refreshed

NOW = datetime.now(UTC)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dashboard]:
    with Dashboard.running(tmp_path_factory.mktemp("dashboard"), INGEST_API_URL="https://in.example") as place:
        yield place


@pytest.fixture
def dashboard(place: Dashboard) -> Dashboard:
    place.move_in()
    return place


def ago(seconds: float) -> str:
    return (NOW - timedelta(seconds=seconds)).isoformat().replace("+00:00", "Z")


def events(dashboard: Dashboard, count: int, **fields: object) -> None:
    made = [dashboard.acme.envelope(**({"occurred_at": ago(20 * n + 1)} | fields)) for n in range(count)]
    dashboard.search.index(made)


def audited(dashboard: Dashboard) -> list[list[str]]:
    return dashboard.conn.run("SELECT who, what, kind FROM audit WHERE org_id = :o ORDER BY id", o=dashboard.acme.org)


def without_tags(page: str) -> str:
    return html.unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page)))


def test_events_are_counted_listed_and_drawn_over_time(dashboard: Dashboard) -> None:
    events(dashboard, 60)
    page = dashboard.reader().text("/search?q=timed")
    assert "60 events from" in page
    assert page.count('<details class="row"') == 50
    assert page.count("<mark>timed</mark>") == 50
    [drawn] = re.findall(r'<path class="drawn" d="([^"]+)"', page)
    assert drawn.count("z") == page.count('<th scope="row">') >= 20
    assert 'rel="next">Older</a>' in page


def test_an_older_page_goes_on_where_the_first_ended_and_tells_of_newer_events(dashboard: Dashboard) -> None:
    events(dashboard, 60)
    reader = dashboard.reader()
    first = reader.text("/search")
    [older] = re.findall(r'href="([^"]*cursor[^"]*)" rel="next"', first)
    soon = datetime.now(UTC) + timedelta(seconds=1.5)  # beyond the second in which the first page ends
    dashboard.search.index([dashboard.acme.envelope(occurred_at=soon.isoformat())])
    second = reader.text("/search" + html.unescape(older))
    while "Newer events: 1." not in second:
        assert datetime.now(UTC) < soon + timedelta(seconds=10)
        time.sleep(0.1)
        second = reader.text("/search" + html.unescape(older))
    assert second.count('<details class="row"') == 10
    assert "60 events from" in second
    times = [set(re.findall(r'datetime="([^"]+)" title', page)) for page in (first, second)]
    assert not times[0] & times[1]


def test_a_value_leads_to_the_question_with_and_without_it(dashboard: Dashboard) -> None:
    reader = dashboard.reader()
    for sign, name in (("", "only"), ("-", "not")):
        answer = reader.get(f"/search/narrow?q=timed&range=24h&{name}=route:/checkout")
        assert answer.status == 303
        assert answer.header("location") == f"/search?q=timed+{sign}route:/checkout&range=24h"


def test_a_bar_leads_into_its_part_of_the_time(dashboard: Dashboard) -> None:
    events(dashboard, 3)
    reader = dashboard.reader()
    page = reader.text("/search")
    bars = re.findall(r'<a href="(\?from=[^"]+)" tabindex="(?:0|-1)"><title>([^<]*): (\d+)</title>', page)
    assert sum(int(count) for _, _, count in bars) == 3
    assert page.count(' tabindex="0"><title>') == 1  # one stop for the keyboard
    assert re.findall(r'<th scope="row">([^<]*)</th><td>(\d+)</td>', page) == [bar[1:] for bar in bars]
    address, _, count = bars[-1]
    assert reader.text("/search" + html.unescape(address)).count('<details class="row"') == int(count)


def test_nothing_found_says_how_much_was_looked_through(dashboard: Dashboard) -> None:
    events(dashboard, 4)
    text = without_tags(dashboard.reader().text("/search?q=absent"))
    assert "No events match. Searched 4 events from" in text
    assert "Search the last 24 hours" in text


@pytest.mark.parametrize("query", ["from=yesterday", "q=" + "a" * 3000, "from=2026-01-01T00:00&to=2025-01-01T00:00"])
def test_a_question_that_cannot_be_asked_is_said_in_its_place(dashboard: Dashboard, query: str) -> None:
    page = dashboard.reader().text(f"/search?{query}")
    assert 'class="wrong"' in page


@pytest.mark.parametrize("query", ["cursor=x", "project=nope", "project=%00", "cursor=1~x~y&q=a", "env=%22%3E"])
def test_an_address_nobody_was_given_breaks_nothing(dashboard: Dashboard, query: str) -> None:
    reader = dashboard.reader()
    assert reader.get(f"/search?{query}").status in (200, 404)
    assert reader.get(f"/setup?{query}").status in (200, 404)


def test_a_large_event_does_not_blow_up_the_list(dashboard: Dashboard) -> None:
    events(dashboard, 10, message="long " * 1600, payload={"text": "x" * 60_000})
    reader = dashboard.reader()
    page = reader.text("/search")
    assert len(page) < 100_000
    assert "more characters." in page
    [alone, *_] = re.findall(r"<dt>event_id<dd>([^<]+)", page)
    assert len(reader.text(f"/search?q=event_id:{alone}")) > 60_000


def test_a_page_of_25_usual_events_is_within_its_budget(dashboard: Dashboard) -> None:
    attributes = {"route": "/api/checkout", "error_code": "TIMEOUT", "release": "2.14.0", "method": "POST"}
    events(dashboard, 25, attributes=attributes | {"status_code": 504})
    page = dashboard.reader().text("/search?q=timed")
    assert len(page) <= 60 * 1024
    assert len(re.findall(r"<[a-z]", page)) <= 1_500


def test_a_download_is_what_was_asked_for_and_is_written_down(dashboard: Dashboard) -> None:
    events(dashboard, 7)
    events(dashboard, 2, message="something else")
    answer = dashboard.reader(role="viewer").post("/search/download", q="timed", range="24h")
    assert answer.status == 200
    assert answer.header("content-type") == "application/x-ndjson"
    assert re.fullmatch(r'attachment; filename="events-[\d-]+\.ndjson"', answer.header("content-disposition") or "")
    lines = [json.loads(line) for line in answer.body.splitlines()]
    assert [line["message"] for line in lines] == ["upstream timed out"] * 7
    assert audited(dashboard) == [["viewer", "exported", "events"]]
    [[details]] = dashboard.conn.run("SELECT details::text FROM audit WHERE org_id = :o", o=dashboard.acme.org)
    assert json.loads(details)["events"] == 7


def test_ai_jobs_show_the_failed_first_with_their_reason_and_try_them_again(dashboard: Dashboard) -> None:
    acme = dashboard.acme
    failed = acme.job(acme.incident(), created_at=NOW - timedelta(hours=1))
    acme.job(acme.incident(route="/pay"), "succeeded", NOW - timedelta(minutes=1))
    reader = dashboard.reader()
    page = reader.text("/jobs")
    states = re.findall(r'<span class="status (\w+)">', page)
    assert states == ["failed", "succeeded"]
    assert "the answer was no JSON" in page
    answer = reader.post(f"/jobs/{failed}/retry")
    assert (answer.status, answer.header("location")) == (303, "/jobs")
    page = reader.text("/jobs")
    assert notice_in(page) == "The job waits for its next try."
    assert '<span class="status queued">' in page
    reader.post(f"/jobs/{failed}/retry")
    assert notice_in(reader.text("/jobs")) == "This job is no longer failed."


def test_a_key_is_shown_once_in_its_field_and_its_snippets(dashboard: Dashboard) -> None:
    reader = dashboard.reader(role="admin")
    made = reader.post("/setup/keys", project=dashboard.acme.project, name="checkout").body.decode()
    [key] = set(re.findall(r"sck_\w{39}", made))
    assert f'readonly value="{key}"' in made
    assert made.count(key) == 4
    assert refreshed(made) == (3, f"/setup?project={dashboard.acme.project}")
    assert "https://in.example/v1/events" in made
    assert key not in reader.text("/setup")
    assert "YOUR_KEY" in reader.text("/setup")
    found = dashboard.conn.run("SELECT name FROM project_api_keys WHERE key_hash = :h", h=credentials.digest(key))
    assert found == [["checkout"]]
    assert audited(dashboard) == [["admin", "created", "key"]]


def test_a_key_is_revoked_only_by_its_name(dashboard: Dashboard) -> None:
    reader = dashboard.reader(role="admin")
    target = f"/setup/keys/{dashboard.acme.project}/{dashboard.acme.key_id}/revoke"
    wrong = reader.post(target, name="another")
    assert wrong.status == 422
    assert "To revoke it, write its name: one" in wrong.body.decode()
    assert reader.post(target, name="one").status == 303
    assert "The key one is revoked." in notice_in(reader.text("/setup"))
    assert audited(dashboard) == [["admin", "revoked", "key"]]


def test_a_token_signs_in_until_it_is_revoked(dashboard: Dashboard) -> None:
    reader = dashboard.reader(role="admin")
    made = reader.post("/setup/tokens", name="Ana Ruiz", role="viewer", days="30").body.decode()
    [token] = set(re.findall(r"sct_\w{39}", made))
    [[id_, days]] = dashboard.conn.run(
        "SELECT id::text, (expires_at - created_at) > interval '29 days' FROM access_tokens WHERE token_hash = :h",
        h=credentials.digest(token),
    )
    assert days
    assert dashboard.reader(token).get("/jobs").status == 200
    assert reader.post(f"/setup/tokens/{id_}/revoke", name="Ana Ruiz").status == 303
    assert audited(dashboard) == [["admin", "created", "token"], ["admin", "revoked", "token"]]


@pytest.mark.parametrize(
    ("form", "fields", "says"),
    [
        ("keys", {"project": "", "name": "x"}, "Choose a project"),
        ("keys", {"project": "SHOP", "name": " "}, "Give the key a name"),
        ("keys", {"project": "SHOP", "name": "x" * 129}, "Give the key a name"),
        ("keys", {"project": "SHOP", "name": "a\0b"}, "Give the key a name"),
        ("tokens", {"name": "x", "role": "god"}, "Choose one of the roles"),
        ("tokens", {"name": "x", "role": "viewer", "days": "9999"}, "Choose one of the roles"),
        ("tokens", {"name": "engine", "role": "viewer"}, "Choose another name"),
        ("projects", {"id": "Not This", "name": "x"}, "An id is made of"),
        ("projects", {"id": "SHOP", "name": "x"}, "This id is taken"),
        ("preferences", {"zone": "Europe/Nowhere"}, "There is no zone"),
    ],
)
def test_what_is_wrong_with_a_form_is_said_in_it_and_what_was_typed_stays(
    dashboard: Dashboard, form: str, fields: dict[str, str], says: str
) -> None:
    said = {name: dashboard.acme.project if value == "SHOP" else value for name, value in fields.items()}
    answer = dashboard.reader(role="admin").post(f"/setup/{form}", **said)
    page = answer.body.decode()
    assert answer.status in (409, 422)
    assert says in page
    for name in ("name", "id", "zone"):
        if said.get(name, "").strip():
            assert f'value="{html.escape(said[name])}"' in page
    assert audited(dashboard) == []


def test_preferences_are_this_browsers(dashboard: Dashboard) -> None:
    reader = dashboard.reader()
    assert reader.post("/setup/preferences", zone="Asia/Kolkata", theme="dark", keys="").status == 303
    page = reader.text("/jobs")
    assert '<html lang="en" data-theme="dark" data-keys="off">' in page
    assert "Times are Asia/Kolkata, UTC+5:30." in page
    reader.post("/setup/shortcuts", back="/jobs")
    reader.post("/setup/preferences", zone="UTC", theme="", keys="on")
    assert '<html lang="en">' in reader.text("/jobs")


def test_setup_waits_for_the_first_event_and_says_what_it_was(dashboard: Dashboard) -> None:
    reader = dashboard.reader()
    page = reader.text("/setup")
    assert f"Waiting for the first event of {dashboard.acme.project}." in page
    assert '<meta name="live" content="3"' in page
    dashboard.acme.activity(NOW, 1)
    events(dashboard, 1, occurred_at=NOW.isoformat(), message='boom <b>"&')
    page = reader.text("/setup")
    text = without_tags(page)
    assert re.search(r'The first event arrived at .*: error, prod, " boom <b>"& "', text)
    assert '<meta name="live" content="0"' in page


def test_an_organisation_without_a_project_is_told_to_make_one(dashboard: Dashboard) -> None:
    org = f"empty-{uuid4().hex[:8]}"
    dashboard.conn.run("INSERT INTO orgs (id, name) VALUES (:o, 'Empty & new')", o=org)
    dashboard.acme.org = org
    reader = dashboard.reader(dashboard.acme.token("admin"))
    page = reader.text("/setup")
    assert "No project yet. Make one below." in page
    assert "Signed in to Empty &amp; new, admin." in page
    for target in ("/", "/incidents", "/search", "/jobs"):
        assert reader.get(target).status == 200, target


@pytest.mark.parametrize(
    ("said", "secure"),
    [({}, False), ({"x-forwarded-proto": "http"}, False), ({"x-forwarded-proto": "https,http"}, True)],
)
def test_cookies_are_for_tls_only_where_people_come_by_tls(
    dashboard: Dashboard, said: dict[str, str], secure: bool
) -> None:
    [cookie] = Reader(dashboard).get("/sign-in", **said).all("set-cookie")
    assert ("Secure" in cookie.split("; ")) is secure


def test_of_more_tokens_than_are_shown_the_good_ones_come_first_and_it_says_how_many_there_are(
    dashboard: Dashboard,
) -> None:
    dashboard.conn.run(
        "INSERT INTO access_tokens (org_id, name, role, token_hash, created_at, expires_at, revoked_at) "
        "SELECT :org, 'gone ' || n, 'viewer', md5(:org || n) || md5(n::text), now() + interval '1 hour', "
        "CASE WHEN n % 2 = 0 THEN now() END, CASE WHEN n % 2 = 1 THEN now() END FROM generate_series(1, 100) n",
        org=dashboard.acme.org,
    )
    page = dashboard.reader(role="admin").text("/setup")
    rows = re.findall(r'<span class="what"><bdi>(.*?)</bdi>', page.partition('id="tokens"')[2])
    assert set(rows[:3]) == {"admin", "responder", "viewer"}
    assert "100 of 103 tokens" in page
    assert "keys: those" not in page


def test_a_project_too_old_for_the_lists_is_still_searched_and_still_gets_a_key(dashboard: Dashboard) -> None:
    dashboard.conn.run(
        "INSERT INTO projects (id, org_id, name, created_at) "
        "SELECT md5(:org || n), :org, 'One', now() + interval '1 hour' FROM generate_series(1, 200) n",
        org=dashboard.acme.org,
    )
    reader, chosen = dashboard.reader(role="admin"), f"<option selected>{dashboard.acme.project}</option>"
    assert "for another one, add ?project=" in reader.text("/setup")
    assert reader.text(f"/setup?project={dashboard.acme.project}").count(chosen) == 2
    assert dashboard.acme.project in reader.text(f"/search?project={dashboard.acme.project}")
    assert reader.get(f"/search?project={dashboard.tenant().project}").status == 404


def test_every_failed_job_can_be_reached(dashboard: Dashboard) -> None:
    incident = dashboard.acme.incident()
    for n in range(27):
        dashboard.acme.job(incident, created_at=NOW - timedelta(minutes=n))
    dashboard.acme.job(incident, "succeeded")
    reader, target, seen = dashboard.reader(), "/jobs", []
    while target:
        page = reader.text(target)
        seen.append((page.count("Try again"), page.count("Succeeded</span>")))
        [target] = [html.unescape(f"/jobs{to}") for to in re.findall(r'href="(\?failed=.*?)"', page)] or [""]
    assert seen == [(25, 1), (2, 0)]
