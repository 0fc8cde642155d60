"""The night shift's walk, by keyboard: sign in, see it appear, take it, say so, mend it, find what it was made of."""

import re
import time

from playwright.sync_api import Page, expect

from tests.browser.conftest import Opened, Stack


def tab_to(page: Page, selector: str, most: int = 120) -> None:
    """As often as it takes, and not for ever."""
    for _ in range(most):
        if page.evaluate("selector => document.activeElement.matches(selector)", selector):
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"Tab never reaches {selector}")


def test_the_whole_walk_by_keyboard(stack: Stack, opened: Opened) -> None:
    code = f"WALK_{time.time_ns()}"
    page = opened(sign_in=False)
    page.clock.install()

    page.goto("/incidents?status=unresolved")
    expect(page).to_have_url(f"{stack.url}/sign-in?next=%2Fincidents%3Fstatus%3Dunresolved")
    page.keyboard.type(stack.token)
    page.keyboard.press("Enter")
    expect(page).to_have_url(f"{stack.url}/incidents?status=unresolved")

    # It appears without a reload, and the tab's title says so.
    page.evaluate("window.same = true")
    stack.spike(code)
    page.clock.run_for(20_000)
    row = page.locator("li.row", has_text=code)
    expect(row).to_be_visible()
    assert page.evaluate("window.same")
    expect(page).to_have_title(re.compile(r"^\d+ needs? someone · Signals Copilot$"))

    # Opened, taken, commented on.
    page.keyboard.press("j")
    expect(row.locator("a[data-row]")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_contain_text(code)
    page.keyboard.press("a")
    expect(page.locator("div.notice")).to_contain_text("Acknowledged by you at")
    expect(page.locator(".status").first).to_have_text("Investigating")
    page.keyboard.press("c")
    page.keyboard.type("Rolled back the release.")
    tab_to(page, "form:has([data-act=comment]) button")
    page.keyboard.press("Enter")
    expect(page.locator("#timeline")).to_contain_text("Rolled back the release.")

    # Mended, with a note.
    page.keyboard.press("r")
    page.keyboard.type("A rollback fixed it.")
    page.keyboard.press("Enter")
    expect(page.locator(".status").first).to_have_text("Resolved")
    expect(page.locator("#timeline")).to_contain_text("A rollback fixed it.")

    # Its events are found.
    page.keyboard.press("/")
    page.keyboard.type(f"error_code:{code}")
    page.keyboard.press("Enter")
    expect(page.locator("h2").first).to_contain_text("30 events from")
    page.keyboard.press("Escape")
    page.keyboard.press("j")
    page.keyboard.press("o")
    tab_to(page, "button[name=only][value='route:/checkout']")
    page.keyboard.press("Enter")
    expect(page.locator("#q")).to_have_value(f"error_code:{code} route:/checkout")

    # A key is made, seen once, and revoked by its name.
    page.keyboard.press("Escape")
    page.keyboard.press("g")
    page.keyboard.press("u")
    expect(page.locator("h1")).to_have_text("Setup")
    tab_to(page, "form[action='/setup/keys'] input[name=name]")
    page.keyboard.type(code)
    page.keyboard.press("Enter")
    expect(page.locator("#secret")).to_have_value(re.compile(r"sck_\w{39}"))
    revoke = page.locator("li.row", has_text=code).locator("details").get_attribute("id")
    tab_to(page, f"#{revoke} summary")
    page.keyboard.press("Enter")
    tab_to(page, f"#{revoke} input[name=name]")
    page.keyboard.type(code)
    page.keyboard.press("Enter")
    expect(page.locator("div.notice")).to_contain_text(f"The key {code} is revoked.")
    page.goto("/setup")
    expect(page.locator("#secret")).to_have_count(0)
