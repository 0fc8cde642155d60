"""Overview, Incidents and Incident: what they show of what is stored, in which words, and what people do there."""

import html
import json
import re
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from uuid import uuid4

import pytest

from common.clients.postgres import rows, whole
from common.clients.postgres.counted import Counted
from common.incidents.clock import minute_of
from tests.dashboard import Dashboard, Reader, notice_in, running

HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>&amp;"
MINUTE = timedelta(minutes=1)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dashboard]:
    with running(tmp_path_factory.mktemp("dashboard")) as place:
        yield place


@pytest.fixture
def dashboard(place: Dashboard) -> Dashboard:
    place.move_in()
    return place


@pytest.fixture(autouse=True)
def now() -> datetime:
    """This minute; a test that would not end within it begins in the next one."""
    while datetime.now(UTC).second >= 55:
        time.sleep(0.2)
    return this_minute()


@pytest.fixture
def reader(dashboard: Dashboard) -> Reader:
    return dashboard.reader()


def burning(dashboard: Dashboard, minutes: int = 20, **columns: str) -> str:
    """An incident that opened so many minutes ago with 42 errors; since then there are forty a minute."""
    opened = this_minute() - minutes * MINUTE
    incident = dashboard.acme.incident(opened_at=opened, **columns)
    last = opened + (minutes - 1) * MINUTE
    dashboard.conn.run(BURN, incident=incident, opened=opened, last=last)
    return incident


def this_minute() -> datetime:
    return datetime.now(UTC).replace(second=0, microsecond=0)


BURN = """
    INSERT INTO buckets (series, minute, value, critical)
    SELECT series, minute, 40, 0 FROM incidents, generate_series(minute_of(:opened) + 1, minute_of(:last)) minute
     WHERE id = :incident;
    UPDATE series SET newest = minute_of(:last), newest_occurred = :last, newest_received = :last
     WHERE id = (SELECT series FROM incidents WHERE id = :incident);
    UPDATE incidents SET last_seen_at = :last, last_event_at = :last, peak = 200 WHERE id = :incident;
"""


def words_of(page: str) -> str:
    """What a reader sees, without what only hearers are told."""
    body = re.sub(r"<(script|style|svg|title)\b.*?</\1>", " ", page[page.index("<main") :], flags=re.DOTALL)
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", "", body)))


# The numbers.
def test_sentence_row_plot_and_table_show_the_same_number(dashboard: Dashboard, reader: Reader) -> None:
    incident = burning(dashboard)
    for target in ("/", "/incidents", f"/incidents/{incident}"):
        assert "200 errors in 5 minutes, usually 3" in words_of(reader.text(target)), target
    page = reader.text(f"/incidents/{incident}")
    assert re.search(r'class="now h"[^>]*>200<', page)
    assert page.count(": 200 errors in 5 minutes, alerts from 30<") >= 10
    assert "<title>200 errors, usually 3: Errors on /checkout" in page
    assert "200</b> at" in page  # the peak, with its minute
    assert "Still happening." in page


def test_the_timeline_says_what_it_opened_with(dashboard: Dashboard, reader: Reader) -> None:
    page = words_of(reader.text(f"/incidents/{burning(dashboard)}"))
    assert "Opened as error. 42 errors in 5 minutes, usually 3; alerts from 30" in page


@pytest.mark.parametrize(("stream", "late"), [("this", True), ("another", True), ("this", False)])
def test_what_is_not_counted_yet_is_not_zero(dashboard: Dashboard, stream: str, late: bool) -> None:
    """A partition that stands still ends the plot of its series; where a series comes from another stream, any does."""
    now = datetime.now(UTC)
    incident = burning(dashboard)
    dashboard.conn.run(
        "UPDATE series SET stream = :stream, partition = 3 WHERE org_id = :org", stream=stream, org=dashboard.acme.org
    )
    counted = Counted("this", now, {3 if late else 4: now - 12 * MINUTE})
    one = whole.one(dashboard.conn, rows.Asked(dashboard.acme.org, now, counted), incident)
    assert one
    assert one.newest == minute_of(now - 12 * MINUTE if late else now) - 1
    assert one.until == minute_of(now)  # the axis goes on, and says that it is empty


def test_an_incident_resolved_after_a_day_says_that_errors_are_still_high(dashboard: Dashboard, reader: Reader) -> None:
    opened = this_minute() - timedelta(days=2)
    incident = burning(dashboard, 20)
    dashboard.conn.run(
        "UPDATE incidents SET opened_at = :at, status = 'resolved', resolved_at = :at::timestamptz + interval '25 h' "
        "WHERE id = :id",
        at=opened,
        id=incident,
    )
    said = "Resolved by itself after a day, but errors are still high: 200 in 5 minutes, 3 before this began."
    page = reader.text(f"/incidents/{incident}")
    assert said in words_of(page)
    assert re.search(r'<button class="primary">Reopen', page)
    assert said in words_of(reader.text("/incidents?status=resolved"))


def test_counts_that_were_pruned_are_not_zero(dashboard: Dashboard, reader: Reader) -> None:
    incident = dashboard.acme.incident(opened_at=this_minute() - timedelta(days=100), status="resolved")
    dashboard.conn.run("DELETE FROM buckets WHERE series = (SELECT series FROM incidents WHERE id = :id)", id=incident)
    page = reader.text(f"/incidents/{incident}")
    assert "The counts of these minutes are no longer kept." in page
    assert "50 errors in 5 minutes at its peak" in words_of(page)


def test_the_tab_says_how_many_need_someone(dashboard: Dashboard, reader: Reader) -> None:
    burning(dashboard)
    for target in ("/", "/incidents"):
        assert "<title>1 needs someone · Signals Copilot</title>" in reader.text(target)


# Lists.
def test_nobodys_come_first_then_the_most_severe_then_the_newest(dashboard: Dashboard, reader: Reader) -> None:
    wanted = ["critical one", "newer error", "older error", "mine"]
    burning(dashboard, 9, title="older error", severity="error")
    burning(dashboard, 8, title="mine", severity="critical", route="/a")
    burning(dashboard, 7, title="newer error", severity="error", route="/b")
    burning(dashboard, 30, title="critical one", severity="critical", route="/c")
    dashboard.conn.run("UPDATE incidents SET assignee = 'responder' WHERE title = 'mine' AND org_id = :org",
                       org=dashboard.acme.org)  # fmt: skip
    dashboard.conn.run(
        "UPDATE incidents SET last_seen_at = last_seen_at - interval '5 min' WHERE title = 'older error'"
    )
    assert titles(reader.text("/incidents")) == wanted
    assert titles(reader.text("/")) == wanted
    assert titles(reader.text("/incidents?status=mine")) == ["mine"]
    assert "3 incidents need someone" in reader.text("/")
    assert "1 more is being investigated. Everything else is quiet." in words_of(reader.text("/"))


def test_an_incident_leads_to_those_beside_it_in_its_list(dashboard: Dashboard, reader: Reader) -> None:
    first = burning(dashboard, 9, severity="critical")
    second, third = burning(dashboard, 8, route="/a"), burning(dashboard, 20, route="/b", severity="warn")
    assert beside(reader.text(f"/incidents/{second}")) == {"prev": first, "next": third}
    assert beside(reader.text(f"/incidents/{first}")) == {"next": second}
    old = [dashboard.acme.incident(opened_at=this_minute() - timedelta(hours=n), status="resolved") for n in (3, 5, 7)]
    assert beside(reader.text(f"/incidents/{old[1]}")) == {"prev": old[0], "next": old[2]}


def beside(page: str) -> dict[str, str]:
    return {rel: path for path, rel in re.findall(r'href="/incidents/([^"]+)" rel="(prev|next)"', page)}


def titles(page: str) -> list[str]:
    return [html.unescape(title) for title in re.findall(r'class="go"[^>]*data-row><bdi>(.*?)</bdi>', page)]


def test_every_row_is_on_one_page_whatever_was_resolved_meanwhile(dashboard: Dashboard, reader: Reader) -> None:
    now = this_minute()
    for n in range(30):
        status, at = ("open" if n < 3 else "resolved"), now - timedelta(hours=3 + n)
        dashboard.acme.incident(opened_at=at, title=f"incident {n}", status=status)
    seen, address = [], "/incidents"
    while address:
        page = reader.text(address)
        seen += titles(page)
        older = re.search(r'href="([^"]*)" rel="next">Older', page)
        address = html.unescape(older[1]) if older else ""
    assert sorted(seen) == sorted(f"incident {n}" for n in range(30))
    assert "25 of 30" in reader.text("/incidents")


def test_an_empty_list_says_what_was_looked_for(dashboard: Dashboard, reader: Reader) -> None:
    burning(dashboard)
    page = words_of(reader.text("/incidents?env=staging"))
    assert "No open incident in staging. 1 not resolved in all environments." in page
    assert "Nothing is with you." in reader.text("/incidents?status=mine")
    assert reader.get("/incidents?project=nobodys").status == 404
    assert reader.get("/incidents?cursor=what").status == 404
    assert reader.get("/incidents?env=%00&severity=x&status=y").status == 200  # an address may be old


# The states of the first page.
def test_a_new_organisation_is_shown_how_to_send(reader: Reader) -> None:
    page = reader.text("/")
    assert "<h1>No event has arrived yet</h1>" in page
    assert "/v1/events" in page


def test_a_quiet_night_has_proof_of_life(dashboard: Dashboard, reader: Reader) -> None:
    dashboard.acme.incident(status="resolved", title="Signups fell")
    dashboard.acme.activity(datetime.now(UTC), 5, "http_request", "info")
    page = words_of(reader.text("/"))
    assert "All quiet No incident since" in page
    assert "when “Signups fell” was resolved. Last event" in page
    assert "Counted up to" in page


def test_silence_after_much_is_the_verdict(dashboard: Dashboard, reader: Reader) -> None:
    now = this_minute()
    for minutes in range(14, 120):
        dashboard.acme.activity(now - minutes * MINUTE, 860, "http_request", "info")
    page = reader.text("/")
    assert "No events for 14 minutes</h1>" in page
    assert "Usually about 860 a minute. Nothing can be noticed until they arrive again." in words_of(page)


def test_yesterday_is_said_in_words(dashboard: Dashboard, reader: Reader) -> None:
    now = datetime.now(UTC)
    for at, count in ((now - timedelta(hours=2), 1_954), (now - timedelta(hours=26), 1_288)):
        dashboard.acme.activity(at, count)
    page = words_of(reader.text("/"))
    assert "Errors 1,954 1,288 the day before" in re.sub(r"(\d)(?=1,288)", r"\1 ", page.replace("Errors1", "Errors 1"))


def test_a_deploy_says_only_what_was_observed(dashboard: Dashboard, reader: Reader) -> None:
    now = this_minute()
    burning(dashboard, 20)
    for minutes, release in ((25, "v3"), (10, "v4"), (300, "v1")):
        dashboard.acme.deploy(now - minutes * MINUTE, release)
    said = words_of(reader.text("/")).split("Deploys")[1]
    v4, v3, v1 = (said.split(f"{name} {dashboard.acme.project}, prod.")[1][:60] for name in ("v4", "v3", "v1"))
    assert v3.strip().startswith("An incident opened 5 minutes later.")
    assert v1.strip().startswith("Nothing unusual followed.")
    assert "unusual" not in v4.split("v3")[0]  # half an hour has not passed


# What changed.
def test_what_changed_has_its_distance(dashboard: Dashboard, reader: Reader) -> None:
    now = this_minute()
    incident = burning(dashboard, 20)
    other = burning(dashboard, 12, title="Signups have stopped", route="/other")
    dashboard.acme.deploy(now - 25 * MINUTE, "v2.14.0")
    dashboard.acme.deploy(now - 90 * MINUTE, "v2.13.0")  # more than an hour before
    page = reader.text(f"/incidents/{incident}")
    section = words_of(page)[words_of(page).index("What changed") :]
    assert "v2.14.0 deployed to prod" in section
    assert "5 min before this opened" in section
    assert "8 min after" in section
    assert f"/incidents/{other}" in page
    assert "v2.13.0" not in section
    assert "v2.14.0<tspan" in page  # named on the plot


def test_nothing_changed_is_said(dashboard: Dashboard, reader: Reader) -> None:
    page = reader.text(f"/incidents/{burning(dashboard)}")
    assert "Nothing else changed in the hour before: no deploy, no other incident." in page


# The summary.
def test_a_verified_statement_shows_its_fact(dashboard: Dashboard, reader: Reader) -> None:
    incident = burning(dashboard)
    opened = this_minute() - 20 * MINUTE
    shows = {"count": 42, "since": stamp(opened - 4 * MINUTE), "until": stamp(opened)}
    deploy = {"number": 2, "names": ["v2.14.0"], "refers": [f"deploy:{uuid4()}"], "shows": {"since": stamp(opened)}}
    keep(dashboard, incident, ["42 errors came [F1].", "v2.14.0 was deployed [F2]."], [[1], [2]],
         [{"number": 1, "refers": ["series"], "shows": shows}, deploy])  # fmt: skip
    page = reader.text(f"/incidents/{incident}")
    assert "Evidence, 2 verified" in page
    assert f"42 counted, {opened - 4 * MINUTE:%H:%M} to {opened:%H:%M}" in page
    assert f"v2.14.0, {opened:%H:%M:%S}" in page
    [place] = re.findall(r'class="chip" href="#(t=[\d-]+)"', page)
    assert f'id="{place}"' in page  # the range on the plot it leads to
    assert "[F1]" not in page


def test_what_was_left_out_is_counted_with_its_reason_and_never_shown(dashboard: Dashboard, reader: Reader) -> None:
    incident = burning(dashboard)
    keep(dashboard, incident, ["It is so [F1]."], [[1]], [{"number": 1, "refers": ["series"]}],
         {"evidence: another number": 1, "title: foreign token": 2})  # fmt: skip
    page = words_of(reader.text(f"/incidents/{incident}"))
    assert "3 statements left out, because they could not be verified" in page
    assert "1 piece of evidence gave a number the facts do not have." in page
    assert "2 sentences of the title named something no fact has." in page


def keep(
    dashboard: Dashboard,
    incident: str,
    evidence: list[str],
    cited: list[list[int]],
    facts: list[dict[str, object]],
    left_out: dict[str, int] | None = None,
) -> None:
    content = {"title": "T", "impact": "I.", "likely_causes": ["C."], "evidence": evidence, "next_steps": ["N."]}
    dashboard.conn.run(
        "INSERT INTO ai_outputs (incident_id, model, content_json, facts_json, references_json, evidence_given, "
        "left_out) VALUES (:incident, 'a-model', :content, :facts, :cited, 4, :left_out)",
        incident=incident,
        content=json.dumps(content | {"confidence": 0.78}),
        facts=json.dumps(facts),
        cited=json.dumps(cited),
        left_out=json.dumps(left_out or {}),
    )


def stamp(time: datetime) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ")


@pytest.mark.parametrize(
    ("job", "said"),
    [
        (None, "No model is set up, so there is no summary. Detection, counts and this page work without one."),
        (("queued", 0, None), "The summary is being written. It is usually there within a minute."),
        (("running", 0, None), "The summary is being written. It is usually there within a minute."),
        (("queued", 1, "timeout: 60 s"), "The model has not answered yet: attempt 2 of 3, next try in"),
        (("failed", 3, "timeout: 60 s"), "No summary. The model did not answer in 3 attempts; the last one, at"),
    ],
)
def test_a_summary_always_has_a_state(
    dashboard: Dashboard, reader: Reader, job: tuple[str, int, str | None] | None, said: str
) -> None:
    incident = burning(dashboard)
    if job:
        status, attempts, error = job
        dashboard.conn.run(
            "INSERT INTO ai_jobs (incident_id, status, attempt_count, last_error, leased_until, run_after) "
            "VALUES (:id, :status, :attempts, :error, :lease, now() + interval '14 s')",
            id=incident, status=status, attempts=attempts, error=error,
            lease=datetime.now(UTC) + MINUTE if status == "running" else None,
        )  # fmt: skip
    page = reader.text(f"/incidents/{incident}")
    assert said in words_of(page)
    assert ("Try again" in page) is (job is not None and job[0] == "failed")


# What people do.
def test_acknowledging_takes_it_and_can_be_undone(dashboard: Dashboard, reader: Reader) -> None:
    incident = burning(dashboard)
    answer = reader.post(f"/incidents/{incident}/acknowledge")
    assert (answer.status, answer.header("location")) == (303, f"/incidents/{incident}")
    page = reader.text(f"/incidents/{incident}")
    assert re.fullmatch(r"Acknowledged by you at \d\d:\d\d\.", notice_in(page))
    assert "Investigating" in page
    assert state(dashboard, incident) == ["investigating", "responder"]
    reader.post(undo_in(page))
    assert state(dashboard, incident) == ["open", None]


def test_undoing_leaves_it_with_whom_it_was(dashboard: Dashboard, reader: Reader) -> None:
    incident = burning(dashboard)
    reader.post(f"/incidents/{incident}/assign", assignee="viewer")
    reader.post(f"/incidents/{incident}/acknowledge")
    reader.post(undo_in(reader.text(f"/incidents/{incident}")))
    assert state(dashboard, incident) == ["open", "viewer"]


def test_who_was_faster_is_named_and_nothing_typed_is_lost(dashboard: Dashboard, reader: Reader) -> None:
    incident = burning(dashboard)
    other = dashboard.reader(dashboard.acme.token("responder", "Ana Ruiz"), address="10.1.1.2")
    other.post(f"/incidents/{incident}/acknowledge")
    answer = reader.post(f"/incidents/{incident}/acknowledge")
    assert answer.status == 409
    assert re.fullmatch(r"Ana Ruiz acknowledged this \d+ seconds? ago\.", notice_in(answer.body.decode()))
    other.post(f"/incidents/{incident}/resolve")
    late = reader.post(f"/incidents/{incident}/reopen")
    assert late.status == 303
    other.post(f"/incidents/{incident}/resolve", why="rolled back")
    answer = reader.post(f"/incidents/{incident}/resolve", why="I rolled back v2.14.0")
    assert answer.status == 409
    assert re.fullmatch(r"Ana Ruiz resolved this \d+ seconds? ago\.", notice_in(answer.body.decode()))
    assert "I rolled back v2.14.0" in answer.body.decode()


def test_a_comment_keeps_its_line_breaks(dashboard: Dashboard, reader: Reader) -> None:
    incident = burning(dashboard)
    reader.post(f"/incidents/{incident}/comment", text="first line\r\nsecond line")
    page = reader.text(f"/incidents/{incident}")
    assert "first line\nsecond line" in page
    assert reader.post(f"/incidents/{incident}/comment", text="x" * 4_001).status == 422
    assert reader.post(f"/incidents/{incident}/comment", text="  ").status == 303


def test_assigning_knows_only_people(dashboard: Dashboard, reader: Reader) -> None:
    incident = burning(dashboard)
    assert reader.post(f"/incidents/{incident}/assign", assignee="nobody we know").status == 404
    reader.post(f"/incidents/{incident}/assign", assignee="admin")
    assert state(dashboard, incident) == ["open", "admin"]
    reader.post(f"/incidents/{incident}/assign", assignee="")
    assert state(dashboard, incident) == ["open", None]


def test_resolving_says_who_and_after_how_long(dashboard: Dashboard, reader: Reader) -> None:
    incident = burning(dashboard)
    reader.post(f"/incidents/{incident}/resolve", why="rolled back")
    page = words_of(reader.text(f"/incidents/{incident}"))
    assert re.search(r"200 errors in 5 minutes at its peak, usually 3\. Resolved by responder after \d+ min\.", page)
    assert "rolled back" in page


def test_the_model_can_be_asked_again(dashboard: Dashboard, reader: Reader) -> None:
    incident = burning(dashboard)
    reader.post(f"/incidents/{incident}/summarize")
    assert notice_in(reader.text(f"/incidents/{incident}")) == "The summary is being written."


def test_a_viewer_sees_no_buttons_and_may_not_press_them(dashboard: Dashboard) -> None:
    incident = burning(dashboard)
    viewer = dashboard.reader(role="viewer")
    page = viewer.text(f"/incidents/{incident}")
    assert f'action="/incidents/{incident}' not in page
    assert viewer.post(f"/incidents/{incident}/acknowledge").status == 403
    assert state(dashboard, incident) == ["open", None]


def undo_in(page: str) -> str:
    found = re.search(r'class="notice".*?action="([^"]+)"', page, re.DOTALL)
    assert found
    return found[1]


def state(dashboard: Dashboard, incident: str) -> list[object]:
    [found] = dashboard.conn.run("SELECT status, assignee FROM incidents WHERE id = :id", id=incident)
    return found


# What is not ours is text.
def test_text_of_events_people_and_models_is_text(dashboard: Dashboard, reader: Reader) -> None:
    name = dashboard.acme.token("responder", HOSTILE)
    hostile = dashboard.reader(name, address="10.1.1.3")
    incident = burning(dashboard, title=HOSTILE, route=f"/{HOSTILE}", severity="critical")
    dashboard.conn.run(
        "UPDATE incidents SET error_code = :text, service = :text WHERE id = :id;"
        "UPDATE incident_events SET message = :text, attributes_json = :attributes WHERE incident_id = :id;"
        "UPDATE projects SET name = :text WHERE id = :project",
        text=HOSTILE, id=incident, project=dashboard.acme.project,
        attributes=json.dumps({"release": HOSTILE, "status_code": HOSTILE}),
    )  # fmt: skip
    dashboard.acme.deploy(datetime.now(UTC) - 22 * MINUTE, HOSTILE)
    keep(
        dashboard,
        incident,
        [HOSTILE],
        [[1]],
        [{"number": 1, "text": HOSTILE, "names": [HOSTILE], "refers": ["deploy:x"]}],
    )
    dashboard.acme.job(incident)
    hostile.post(f"/incidents/{incident}/comment", text=HOSTILE)
    hostile.post(f"/incidents/{incident}/acknowledge")
    for target in ("/", "/incidents", f"/incidents/{incident}", "/incidents?status=all"):
        for page in (reader.text(target), hostile.text(target)):
            assert "&lt;script&gt;alert(1)" in page, target
            assert Tags(page).strange() == [], target


class Tags(HTMLParser):
    """The elements of a page as a browser would read them."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.seen: list[tuple[str, dict[str, str | None]]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))

    def strange(self) -> list[str]:
        """What none of our templates has."""
        inline = [f"{tag} {name}" for tag, attrs in self.seen for name in attrs if name == "style" or name[:2] == "on"]
        return inline + [tag for tag, attrs in self.seen if tag == "img" or (tag == "script" and "src" not in attrs)]


@pytest.mark.parametrize("text", ["é" * 120, "W" * 120, "a b " * 30, "​" * 50])
def test_a_title_of_any_shape_stands(dashboard: Dashboard, reader: Reader, text: str) -> None:
    incident = burning(dashboard, title=text + "!")
    assert html.escape(text[:100]) in reader.text(f"/incidents/{incident}")


# Budgets.
def test_pages_stay_light(dashboard: Dashboard, reader: Reader) -> None:
    """Twenty-five rows; 180 points."""
    for n in range(26):
        burning(dashboard, 20, route=f"/api/orders/{n}", title=f"Orders of kind {n} fail after the release of today")
    long = burning(dashboard, 109, title="A long one " * 10)
    for n in range(30):
        dashboard.acme.deploy(datetime.now(UTC) - n * 4 * MINUTE, f"v2.{n}.0")
    light(reader.text("/"))
    light(reader.text("/incidents"))
    page = reader.text(f"/incidents/{long}")
    assert page.count('class="hit"') >= 170
    light(page)


def light(page: str) -> None:
    assert len(page.encode()) <= 60_000
    assert len(re.findall(r"<[a-z]", page)) <= 1_500
    assert " style=" not in page
    assert page.count("<h1>") == 1


# Refresh, zone.
def test_a_refresh_is_the_live_sections_alone(dashboard: Dashboard, reader: Reader) -> None:
    incident = burning(dashboard)
    for target in ("/", "/incidents", f"/incidents/{incident}"):
        part = reader.text(f"{target}{'&' if '?' in target else '?'}part=live")
        assert "data-live data-v=" in part
        assert "<main" not in part
        assert "<title>" in part


def test_what_happens_to_an_incident_changes_its_etag(dashboard: Dashboard, reader: Reader) -> None:
    incident = burning(dashboard)
    for target in (f"/incidents/{incident}", "/incidents", "/"):
        before = reader.get(f"{target}?part=live").header("etag")
        dashboard.conn.run("UPDATE incidents SET event_count = event_count + 1 WHERE id = :id", id=incident)
        assert reader.get(f"{target}?part=live").header("etag") != before


def test_times_and_axes_are_in_the_readers_zone(dashboard: Dashboard, reader: Reader) -> None:
    incident = burning(dashboard)
    reader.cookies["tz"] = "Asia/Kathmandu"
    page = reader.text(f"/incidents/{incident}")
    opened = this_minute() - 20 * MINUTE + timedelta(hours=5, minutes=45)
    assert f'opened<tspan class="n2"> {opened:%H:%M}' in page
    assert "Time, Asia/Kathmandu, UTC+5:45" in page
    assert f'title="{opened - timedelta(hours=5, minutes=45):%Y-%m-%d %H:%M:%S} UTC"' in page
