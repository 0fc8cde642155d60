"""One number, wherever it stands: in the sentence, the row, the plot and the tab, in the reader's zone."""

import re
from datetime import UTC, datetime, timedelta

import pytest

from common.clients.postgres import rows, whole
from common.clients.postgres.counted import Counted
from common.incidents.clock import minute_of
from tests.burning import MINUTE, burning, this_minute, words_of
from tests.dashboard import Dashboard, Reader

pytestmark = pytest.mark.usefixtures("now")


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
