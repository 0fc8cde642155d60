"""An incident's page says what changed, and what a model wrote: only what was verified, and why the rest is not."""

import html
import json
import re
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from functions.dashboard.words import counted
from tests.burning import MINUTE, burning, keep, this_minute, words_of
from tests.dashboard import Dashboard, Reader

pytestmark = pytest.mark.usefixtures("now")


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
    [place] = re.findall(r'class="chip" title="[^"]*" href="#(t=[\d-]+)"', page)
    assert f'id="{place}"' in page  # the range on the plot it leads to
    assert "[F1]" not in page


def test_a_chip_leads_to_as_many_events_as_it_says_however_long_ago(dashboard: Dashboard, reader: Reader) -> None:
    opened = this_minute() - 200 * MINUTE
    incident = dashboard.acme.incident(opened_at=opened)
    own, other = [{"route": route, "error_code": code} for route, code in (("/checkout", "TIMEOUT"), ("/cart", "CART"))]
    minutes = [(own, -5), (own, -4), (own, 0), (own, 1), (other, -4), (other, 0), (other | {"route": "/log"}, 0)]
    made = [
        dashboard.acme.envelope(occurred_at=stamp(opened + late * MINUTE + MINUTE / 2), attributes=attributes)
        for attributes, late in minutes
    ]
    elsewhere = stamp(opened)
    made += [dashboard.acme.envelope(occurred_at=elsewhere, environment="staging", attributes=own | other)]
    made += [dashboard.acme.envelope(occurred_at=elsewhere, event_type="log", attributes=own | other)]
    dashboard.search.index(made)
    window = span(opened)
    shown: list[tuple[int, dict[str, object]]] = [
        (2, {"refers": ["search:own"], "shows": {"count": 2} | window}),
        (3, {"refers": ["search:others"], "shows": {"count": 3} | window}),
        (2, {"refers": ["search:others"], "names": ["/cart"], "shows": {"count": 2, "of": 3}}),
        (1, {"refers": [f"event:{json.loads(made[1])['event_id']}"], "shows": {"count": 1, "of": 1}}),
    ]
    facts = [{"number": number} | fact for number, (_, fact) in enumerate(shown)]
    keep(dashboard, incident, ["It is so."] * 4, [[0], [1], [2], [3]], facts)
    page = reader.text(f"/incidents/{incident}")
    found = re.findall(r'class="chip" title="([^"]*)" href="(/search[^"]*)"', page)
    assert len(found) == 4
    for (said, href), (count, _) in zip(found, shown, strict=True):
        assert re.fullmatch(r"Checked \d+ \w+ \d\d:\d\d:\d\d", said)
        assert f"{counted(count, 'event')} from" in words_of(reader.text(html.unescape(href)))


def test_a_deploy_that_is_not_on_the_page_leads_to_its_event(dashboard: Dashboard, reader: Reader) -> None:
    opened = this_minute() - 200 * MINUTE
    incident = dashboard.acme.incident(opened_at=opened)
    at = opened - 90.4 * MINUTE
    deploy = dashboard.acme.envelope(occurred_at=stamp(at), event_type="deploy")
    dashboard.search.index([deploy])
    fact = {"number": 1, "refers": [f"deploy:{json.loads(deploy)['event_id']}"], "shows": {"since": stamp(at)}}
    keep(dashboard, incident, ["It is so."], [[1]], [fact])
    [href] = re.findall(r'class="chip" title="[^"]*" href="(/search[^"]*)"', reader.text(f"/incidents/{incident}"))
    assert "1 event from" in words_of(reader.text(html.unescape(href)))


def test_minutes_that_begin_before_the_plot_are_tinted_as_far_as_it_goes(dashboard: Dashboard, reader: Reader) -> None:
    opened = this_minute() - 20 * MINUTE
    incident = dashboard.acme.incident(opened_at=opened, rule="signup_drop")
    shows = {"count": 60, "since": stamp(opened - 74 * MINUTE), "until": stamp(opened - 15 * MINUTE)}
    keep(dashboard, incident, ["It is so."], [[1]], [{"number": 1, "refers": ["series"], "shows": shows}])
    page = reader.text(f"/incidents/{incident}")
    [place] = re.findall(r'href="#(t=[\d-]+)"', page)
    assert f'id="{place}" x="0"' in page


def test_of_an_incident_longer_than_search_looks_at_once_the_newest_are_searched(
    dashboard: Dashboard, reader: Reader
) -> None:
    incident = dashboard.acme.incident(opened_at=this_minute() - timedelta(days=40))
    dashboard.conn.run("UPDATE incidents SET last_seen_at = :now WHERE id = :id", now=this_minute(), id=incident)
    page = reader.text(f"/incidents/{incident}")
    [href] = set(re.findall(r'href="(/search\?[^"]*)">Search all of them', page))
    assert "At most 31 days" not in words_of(reader.text(html.unescape(href)))


def test_what_is_no_longer_kept_leads_nowhere(dashboard: Dashboard, reader: Reader) -> None:
    opened = this_minute() - timedelta(days=91)
    incident = dashboard.acme.incident(opened_at=opened, status="resolved")
    refers = ["series"], ["search:own"], ["search:others"], [f"event:{uuid4()}"]
    facts = [{"number": at, "refers": one, "shows": {"count": 2} | span(opened)} for at, one in enumerate(refers)]
    keep(dashboard, incident, ["It is so."] * 4, [[0], [1], [2], [3]], facts)
    page = reader.text(f"/incidents/{incident}")
    assert words_of(page).count("no longer kept; verified ") == 4
    assert 'class="chip"' not in page


def span(opened: datetime) -> dict[str, object]:
    return {"since": stamp(opened - 4 * MINUTE), "until": stamp(opened)}


def test_what_was_left_out_is_counted_with_its_reason_and_never_shown(dashboard: Dashboard, reader: Reader) -> None:
    incident = burning(dashboard)
    keep(dashboard, incident, ["It is so [F1]."], [[1]], [{"number": 1, "refers": ["series"]}],
         {"evidence: another number": 1, "title: foreign token": 2})  # fmt: skip
    page = words_of(reader.text(f"/incidents/{incident}"))
    assert "3 statements left out, because they could not be verified" in page
    assert "1 piece of evidence gave a number the facts do not have." in page
    assert "2 sentences of the title named something no fact has." in page


def stamp(time: datetime) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ")


@pytest.mark.parametrize(
    ("job", "said"),
    [
        (None, "No model is set up, so there is no summary. Detection, counts and this page work without one."),
        (("queued", 0, None), "The summary is being written. It is usually there within a minute."),
        (("running", 0, None), "The summary is being written. It is usually there within a minute."),
        (("queued", 1, "timeout: 60 s"), "The model has not answered yet: attempt 2 of 3, next try in"),
        (("queued", 1, "timeout: 60 s"), "The last one said “timeout: 60 s”."),
        (("queued", 0, "budget: 9 tokens are used"), "The model was not asked: 9 tokens are used. Next try in"),
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


def test_a_second_summary_that_has_to_wait_says_so_and_the_first_stays(dashboard: Dashboard, reader: Reader) -> None:
    incident = burning(dashboard)
    keep(dashboard, incident, ["It is so [F1]."], [[1]], [{"number": 1, "refers": ["series"]}])
    dashboard.conn.run(
        "INSERT INTO ai_jobs (incident_id, status, last_error, run_after) "
        "VALUES (:id, 'queued', 'budget: it has used its tokens', now() + interval '9 hours')",
        id=incident,
    )
    page = words_of(reader.text(f"/incidents/{incident}"))
    assert "The model was not asked: it has used its tokens. Next try in" in page
    assert "A new one is being written." not in page
    assert "It is so" in page
