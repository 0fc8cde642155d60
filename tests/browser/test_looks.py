"""Every page at three widths and in both themes: kept as a picture, nothing sideways, no serious fault for anybody."""

from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.browser.conftest import Opened, Stack, error, keep

LONG = "PAYMENT_GATEWAY_TIMEOUT_AFTER_THE_THIRD_ATTEMPT_OF_THE_CHECKOUT_OF_A_CART_WITH_MORE_THAN_ONE_HUNDRED_ITEMS"
SERIOUS = ("serious", "critical")
ASKED = ((1440, "light"), (390, "dark"))  # both themes and both layouts: what axe looks at differs in nothing else


@pytest.fixture(scope="module")
def incident(stack: Stack) -> str:
    """Of a code as long as they come, after a deploy, and explained."""
    stack.send(error("", event_type="deploy", severity="info", message="2.14.0", attributes={"release": "2.14.0"}))
    found = stack.spike(LONG, payload={"cart": {"items": 104}})
    stack.wait_for("SELECT 1 FROM ai_outputs WHERE incident_id = :id AND model <> 'plain'", id=found)
    return found


def pages(incident: str) -> dict[str, str]:
    return {
        "overview": "/",
        "incidents": "/incidents",
        "incident": f"/incidents/{incident}",
        "search": "/search?q=timed",
        "search-nothing": "/search?q=nothing-like-this",
        "jobs": "/jobs",
        "setup": "/setup",
    }


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 768, 1440])
def test_pages_look_as_they_should(opened: Opened, incident: str, width: int, theme: str) -> None:
    page = opened(width=width, color_scheme=theme)
    for name, target in pages(incident).items():
        page.goto(target)
        if name == "search":
            page.locator(".events summary").first.click()
        keep(page, f"{name}-{theme}-{width}")
        assert sideways(page) <= 0, name
        if (width, theme) in ASKED:
            assert faults(page) == [], name


def test_signing_in_looks_as_it_should(opened: Opened) -> None:
    for theme in ("light", "dark"):
        page = opened(width=390, color_scheme=theme, sign_in=False)
        page.goto("/sign-in")
        keep(page, f"sign-in-{theme}-390")
        assert faults(page) == []


def test_nothing_goes_sideways_on_the_smallest_phone(opened: Opened, incident: str) -> None:
    """Which is as wide as a laptop's page at four times the size."""
    page = opened(width=320)
    for name, target in pages(incident).items():
        page.goto(target)
        assert sideways(page) <= 0, name


def test_without_scripts_every_page_says_the_same(opened: Opened, incident: str) -> None:
    page = opened(java_script_enabled=False)
    for name, target in pages(incident).items():
        page.goto(target)
        expect(page.locator("h1")).to_have_count(1)
        keep(page, f"{name}-without-scripts")


def test_a_page_is_three_requests(opened: Opened, incident: str) -> None:
    """Itself, its style and its script; icons are the browser's own wish."""
    page = opened()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    for target in pages(incident).values():
        asked.clear()
        page.goto(target)
        page.wait_for_load_state("load")
        assert len([url for url in asked if not url.endswith(".svg")]) <= 3, asked


def test_a_theme_that_was_chosen_wins_over_the_systems(opened: Opened) -> None:
    page = opened(color_scheme="light")
    page.goto("/setup")
    page.select_option("#theme", "dark")
    page.get_by_role("button", name="Keep these").click()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(15, 18, 22)"


def sideways(page: Page) -> int:
    return int(page.evaluate("document.documentElement.scrollWidth - innerWidth"))


def faults(page: Page) -> list[str]:
    found: list[dict[str, Any]] = Axe().run(page).response["violations"]
    return [
        f"{one['id']}: {one['help']}: {node['html'][:160]} {node.get('failureSummary', '')[:200]}"
        for one in found
        for node in one["nodes"]
        if one["impact"] in SERIOUS
    ]
