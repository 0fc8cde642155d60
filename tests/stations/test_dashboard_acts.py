"""What people do to an incident: taken, undone, too late, and nothing typed is lost."""

import re

import pytest

from tests.burning import burning, words_of
from tests.dashboard import Dashboard, Reader, notice_in, refreshed

pytestmark = pytest.mark.usefixtures("now")


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
    assert refreshed(answer.body.decode()) == (60, f"/incidents/{incident}")


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
    page = reader.text(f"/incidents/{incident}")
    assert notice_in(page) == "The summary is being written."
    assert "AI summary asked for by responder" in words_of(page)


def test_of_a_long_timeline_the_page_says_how_much_it_leaves_out_and_never_how_it_began(
    dashboard: Dashboard, reader: Reader
) -> None:
    incident = burning(dashboard)
    dashboard.conn.run(
        "INSERT INTO incident_timeline (incident_id, at, who, what, why) "
        "SELECT :incident, now() + n * interval '1s', 'anna', 'commented', 'word ' || n FROM generate_series(1, 120) n",
        incident=incident,
    )
    page = words_of(reader.text(f"/incidents/{incident}"))
    shown = page.index("word 120"), page.index("word 22"), page.index("21 entries before this"), page.index("Opened as")
    assert list(shown) == sorted(shown)
    assert "word 21 " not in page


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
