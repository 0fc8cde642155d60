"""What a page does by itself: it changes what has changed, and takes from nobody what he holds, typed or has opened."""

import re
import time

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.conftest import Opened, Stack, error
from tests.shop import Tenant

POLL = 20_000  # ms, longer than any page's interval but the idle one


@pytest.fixture(scope="module")
def first(stack: Stack) -> str:
    """An incident that is there already."""
    return stack.spike(f"LIVE_{time.time_ns()}")


def watching(opened: Opened, target: str, but: str = "none", **options: str) -> Page:
    page = opened(but=but, **options)
    page.clock.install()
    page.goto(target)
    page.evaluate("window.same = true")
    return page


def polled(page: Page, milliseconds: int = POLL) -> None:
    """Let it poll and have the answer."""
    with page.expect_response(re.compile("part=live")):
        page.clock.run_for(milliseconds)
    page.wait_for_timeout(50)


def code() -> str:
    return f"LIVE_{time.time_ns()}"


def test_new_rows_wait_for_whoever_has_scrolled_or_is_on_a_row(stack: Stack, opened: Opened, first: str) -> None:
    page = watching(opened, "/incidents")
    page.keyboard.press("j")
    before = page.locator("li.row").count()
    open_ones = int(page.locator(".tabs b").inner_text())
    new = code()
    stack.spike(new)
    polled(page)
    expect(page.locator("#news")).to_contain_text("1 new incident.")
    assert page.locator("li.row").count() == before
    expect(page.locator(".tabs b")).to_have_text(str(open_ones + 1))
    expect(page.locator("a[data-row]").first).to_be_focused()
    page.get_by_role("button", name="Show").click()
    expect(page.locator("li.row", has_text=new)).to_be_visible()
    expect(page.locator("#news")).to_be_hidden()
    assert page.evaluate("window.same")


def test_an_overview_opened_while_all_was_quiet_shows_what_comes_and_drops_what_is_over(
    stack: Stack, opened: Opened
) -> None:
    tenant = Tenant(stack.conn, f"quiet-{code()[5:]}".lower(), f"quiet-{code()[5:]}".lower())
    page = watching(opened, "/", token=tenant.tokens["viewer"])
    expect(page.locator("li.row")).to_have_count(0)
    incident = tenant.incident()
    polled(page)
    expect(page.locator(f"#i-{incident}")).to_be_visible()
    stack.conn.run("UPDATE incidents SET status = 'resolved', resolved_at = now() WHERE id = :id", id=incident)
    polled(page)
    expect(page.locator("li.row")).to_have_count(0)
    assert page.evaluate("window.same")


def test_what_was_typed_and_what_is_open_stays(stack: Stack, opened: Opened, first: str) -> None:
    page = watching(opened, f"/incidents/{first}")
    page.locator("#assigning summary").click()
    page.locator("[data-act=comment]").fill("half a thought")
    page.locator("h1").click()
    stack.conn.run("UPDATE incidents SET title = 'Another title' WHERE id = :id", id=first)
    polled(page)
    expect(page.locator("h1")).to_have_text("Another title")
    expect(page.locator("[data-act=comment]")).to_have_value("half a thought")
    expect(page.locator("#assigning")).to_have_attribute("open", "")
    assert page.evaluate("window.same")


def test_a_page_that_cannot_refresh_says_since_when_and_goes_on_trying(opened: Opened, first: str) -> None:
    page = watching(opened, "/incidents", but="status of 500")
    told = page.locator("#live time").inner_text()
    page.route(re.compile("part=live"), broken)
    polled(page)
    expect(page.locator("#live")).to_have_text(re.compile(rf"Not updated since\s+{told}"))
    expect(page.locator("#live")).to_have_class(re.compile("late"))
    page.unroute(re.compile("part=live"))
    polled(page, 70_000)
    expect(page.locator("#live")).to_have_text(re.compile(r"Live\s+\d\d:\d\d:\d\d"))


def test_whoever_is_signed_out_meanwhile_is_led_back_here(opened: Opened, first: str) -> None:
    page = watching(opened, "/incidents?status=all", but="status of 401")
    page.context.clear_cookies()
    page.route(re.compile("part=live"), lambda route: route.fulfill(status=401))
    page.clock.run_for(POLL)
    link = page.get_by_role("link", name="Sign in again")
    expect(link).to_have_attribute("href", "/sign-in?next=%2Fincidents%3Fstatus%3Dall")


def test_search_never_refreshes_by_itself(opened: Opened, first: str) -> None:
    page = watching(opened, "/search")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.clock.run_for(120_000)
    assert asked == []


def test_a_plot_is_read_by_pointer_and_by_keyboard(opened: Opened, first: str) -> None:
    page = opened()
    plot = page.locator("[data-plot]").first
    hits, line = plot.locator(".hits rect"), plot.locator("[data-line]")
    newest, before = (hits.nth(at).locator("title").text_content() or "" for at in (-1, -2))
    expect(line).to_have_text(newest)
    hits.last.focus()
    page.keyboard.press("ArrowLeft")
    expect(line).to_have_text(before)
    page.locator("h1").hover()
    hits.last.evaluate("hit => hit.blur()")
    hits.first.hover()
    expect(line).to_have_text(hits.first.locator("title").text_content() or "")


def test_a_bar_of_search_is_reached_read_and_followed_by_keyboard(stack: Stack, opened: Opened, first: str) -> None:
    stack.send(*(error(code(), occurred_at=f"2026-01-02T03:0{minute}:00Z") for minute in (0, 8)))
    stack.wait_for("SELECT 1 FROM events WHERE at = 1767323280000")
    page = opened()
    page.goto("/search?from=2026-01-02T03:00:00Z&to=2026-01-02T04:00:00Z")
    expect(page.locator("[data-line]")).to_have_text("2 Jan 03:08:00 to 03:09:00: 1")
    page.locator(".hits a").last.focus()
    page.keyboard.press("ArrowLeft")
    expect(page.locator("[data-line]")).to_have_text("2 Jan 03:00:00 to 03:01:00: 1")
    page.keyboard.press("Enter")
    page.wait_for_url("**/search?from=2026-01-02T03:00:00Z&to=2026-01-02T03:01:00Z")


@pytest.mark.parametrize("scripts", [True, False])
def test_times_that_are_typed_are_what_is_searched_until_a_range_is_chosen(
    opened: Opened, first: str, scripts: bool
) -> None:
    page = opened(java_script_enabled=scripts)
    page.goto("/search")
    page.locator("#between summary").click()
    page.locator("#between [name=from]").fill("2026-01-05T03:04:05")
    if scripts:
        expect(page.locator("#range")).to_have_value("")
    page.locator("form.ask .primary").click()
    expect(page.locator("main .state")).to_contain_text(re.compile(r"from 5 Jan.* to 5 Jan"))
    page.locator("#range").select_option("1h")
    if not scripts:
        page.locator("form.ask .primary").click()
    expect(page.locator("#range")).to_have_value("1h")
    expect(page.locator("#between [name=from]")).to_have_value("")


def test_a_page_nobody_touches_asks_once_a_minute(opened: Opened, first: str) -> None:
    page = watching(opened, "/incidents")
    page.clock.fast_forward(660_000)
    page.wait_for_timeout(300)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    for _ in range(12):
        page.clock.run_for(15_000)
        page.wait_for_timeout(50)
    assert 2 <= len(asked) <= 4


def test_relative_times_go_on_by_themselves(stack: Stack, opened: Opened, first: str) -> None:
    page = watching(opened, "/jobs", but="status of 500")
    before = page.locator("time[data-ago]").first.inner_text()
    page.route(re.compile("part=live"), broken)
    page.clock.run_for(3_600_000)
    assert page.locator("time[data-ago]").first.inner_text() != before
    page.unroute_all(behavior="ignoreErrors")


def test_keys_do_nothing_in_fields_with_modifiers_or_where_they_are_off(opened: Opened, first: str) -> None:
    page = opened()
    page.goto("/incidents")
    page.keyboard.press("Control+j")
    expect(page.locator("a[data-row]").first).not_to_be_focused()
    page.keyboard.press("/")
    page.keyboard.type("jk?gi")
    expect(page.locator(".find input")).to_have_value("jk?gi")
    page.keyboard.press("Escape")
    page.keyboard.press("?")
    expect(page.locator("#keyboard")).to_be_visible()
    page.keyboard.press("j")
    page.get_by_role("button", name="Turn single keys off").click()
    expect(page.locator("html[data-keys=off]")).to_have_count(1)
    page.keyboard.press("j")
    expect(page.locator("a[data-row]").first).not_to_be_focused()
    page.locator("[data-help]").click()
    page.get_by_role("button", name="Turn single keys on").click()
    expect(page.locator("html[data-keys=off]")).to_have_count(0)
    page.keyboard.press("j")
    expect(page.locator("a[data-row]").first).to_be_focused()


def test_two_keys_go_to_a_page_within_a_second(opened: Opened) -> None:
    page = opened()
    for key, path in (("i", "/incidents"), ("s", "/search"), ("a", "/jobs"), ("u", "/setup"), ("o", "/")):
        page.keyboard.press("g")
        page.keyboard.press(key)
        page.wait_for_url(f"**{path}")


def broken(route: Route) -> None:
    route.fulfill(status=500, body="")
