"""Whatever an event or a person can write shows as text: it runs nowhere, loads nothing, ends no header."""

import time

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Opened, Stack, error

MARK = f"x{time.time_ns()}"
HOSTILE = (
    f"{MARK}<script>window.hit=1</script>",
    f'{MARK}"><img src=x onerror="window.hit=1">',
    f"{MARK}' onmouseover='window.hit=1",
    f"{MARK}</title></textarea></pre><svg onload=window.hit=1>",
    f"{MARK}{{{{ 7*7 }}}}{{% raw %}}",
    f"{MARK}javascript:window.hit=1",
    f"{MARK}\r\nset-cookie: hit=1\r\n\r\n<b>",
    f"{MARK}\u202e\u0007<b>\ufeff",
)
ALL = " ".join(HOSTILE)


@pytest.fixture(scope="module")
def incident(stack: Stack) -> str:
    """Hostile in code, route, release, message, payload and in names of attributes."""
    code = HOSTILE[1][:128]
    attributes = {
        "route": "/" + HOSTILE[0],
        "error_code": code,
        "release": HOSTILE[3][:128],
        HOSTILE[2][:128]: ALL[:1000],
    }
    deploy = {"release": HOSTILE[4], "service": HOSTILE[0]}
    stack.send(error("", event_type="deploy", severity="info", message=ALL, attributes=deploy))
    stack.send(*(error(code, message=ALL, attributes=attributes, payload={HOSTILE[0]: ALL}) for _ in range(30)))
    found = stack.wait_for("SELECT id::text FROM incidents WHERE error_code = :code", code=code)[0]
    stack.wait_for("SELECT 1 FROM ai_outputs WHERE incident_id = :id", id=found)
    return str(found)


def test_hostile_text_is_text_on_every_page(stack: Stack, opened: Opened, incident: str) -> None:
    page = opened()
    page.goto(f"/incidents/{incident}")
    page.locator("[data-act=comment]").fill(ALL)
    page.locator("form:has([data-act=comment]) button").click()
    page.goto(f"/incidents/{incident}")
    page.locator("[data-act=resolve]").click()
    page.locator("#why").fill(HOSTILE[0])
    page.locator("#resolve button").click()
    for name in HOSTILE[:4]:
        page.goto("/setup")
        page.locator("form[action='/setup/keys'] input[name=name]").fill(name)
        page.locator("form[action='/setup/keys'] button").click()
        page.goto("/setup")
        page.locator("form[action='/setup/tokens'] input[name=name]").fill(name)
        page.locator("form[action='/setup/tokens'] button").click()
    for target in ("/", "/incidents?status=all", f"/incidents/{incident}", f"/search?q={MARK}", "/jobs", "/setup"):
        page.goto(target)
        page.locator("body").evaluate("body => body.querySelectorAll('details').forEach(one => { one.open = true; })")
        assert page.evaluate("window.hit") is None, target
        assert page.locator("main img, main script, main [onerror], main [onload], main [onmouseover]").count() == 0
        assert "49" not in page.locator("main").inner_text().split(MARK)[-1][:3]
        assert "hit" not in {cookie["name"] for cookie in page.context.cookies()}
    page.goto(f"/search?q={MARK}")
    expect(page.locator(".events summary").first).to_contain_text("<script>window.hit=1</script>")


def test_a_hostile_question_is_shown_as_it_was_asked(opened: Opened) -> None:
    page = opened()
    for text in HOSTILE[:6]:
        page.goto("/search")
        page.locator("#q").fill(text)
        page.locator("#q").press("Enter")
        expect(page.locator("#q")).to_have_value(text)
        assert page.evaluate("window.hit") is None


def test_a_hostile_address_leads_nowhere(stack: Stack, opened: Opened) -> None:
    page = opened()
    for target in ("//evil.example", "/%0d%0aset-cookie:hit=1", "/%2e%2e/%2e%2e/etc/passwd", "/static/..%2fmain.py"):
        answer = page.request.get(stack.url + target, max_redirects=0)
        assert answer.status == 404, target
        assert "hit" not in answer.headers.get("set-cookie", "")
    answer = page.request.get(f"{stack.url}/search/narrow?q=%0d%0aset-cookie:%20hit=1&only=x", max_redirects=0)
    assert answer.status == 303
    assert "set-cookie" not in answer.headers
