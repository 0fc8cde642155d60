"""Overview and Incidents: which rows, in which order, and what is said where there are none."""

import html
import re
from datetime import UTC, datetime, timedelta

import pytest

from tests.burning import MINUTE, burning, this_minute, words_of
from tests.dashboard import Dashboard, Reader

pytestmark = pytest.mark.usefixtures("now")


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


def test_of_those_seen_in_the_same_minute_the_last_to_open_is_first(dashboard: Dashboard, reader: Reader) -> None:
    """However many there are: pages meet where one ends."""
    made = sorted((burning(dashboard, 9, route=f"/{n}") for n in range(30)), reverse=True)  # ids are by opening
    first = reader.text("/incidents")
    older = re.search(r'href="([^"]*)" rel="next">Older', first)
    assert older is not None
    rows = re.findall(r'<li class="row" id="i-([^"]+)"', first + reader.text(html.unescape(older[1])))
    assert rows == made
    assert beside(reader.text(f"/incidents/{made[7]}")) == {"prev": made[6], "next": made[8]}


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


def test_an_organisation_that_was_silent_for_days_is_not_new(dashboard: Dashboard, reader: Reader) -> None:
    dashboard.acme.conn.run(
        "INSERT INTO activity_hours (day, org_id, project_id, environment, event_type, severity, hour, value) "
        "VALUES (current_date - 9, :org, :project, 'prod', 'custom', 'info', 1, 1)",
        org=dashboard.acme.org,
        project=dashboard.acme.project,
    )
    assert "No event has arrived yet" not in reader.text("/")


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
