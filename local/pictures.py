"""Retake the pictures of the documentation: python -m local.pictures

From the dashboard of the stack that runs here, with `make demo` sending to it: the first page, and
the incident at its top, on a desk and on a phone. It needs Chromium.
"""

import shutil
import sys
from typing import NamedTuple

from playwright.sync_api import Browser, Page, sync_playwright

from local import state
from local.servers.process import is_root

PLACE = state.ROOT / "docs" / "pictures"
PROGRAMS = ("chromium", "google-chrome", "chromium-browser")
QUIET = ("--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run")
MOST_BYTES = 150_000


class Picture(NamedTuple):
    name: str
    width: int
    height: int
    theme: str
    incident: bool


PICTURES = (
    Picture("overview.png", 1280, 800, "light", incident=False),
    Picture("incident.png", 1200, 750, "light", incident=True),
    Picture("incident-phone.png", 390, 844, "dark", incident=True),
)


def main() -> int:
    env = state.read_env()
    program = next(filter(None, map(shutil.which, PROGRAMS)), None)
    if program is None or "DASHBOARD_URL" not in env:
        print("pictures: needs Chromium, and a stack that runs here (make up)", file=sys.stderr)
        return 2
    PLACE.mkdir(exist_ok=True)
    with sync_playwright() as playwright:
        words = [*QUIET, *(["--no-sandbox"] if is_root() else [])]
        browser = playwright.chromium.launch(executable_path=program, args=words)
        sizes = {picture.name: take(browser, picture, env) for picture in PICTURES}
        browser.close()
    for name, size in sizes.items():
        print(f"docs/pictures/{name} {size:,} bytes{'' if size <= MOST_BYTES else ', too large'}")
    return 1 if max(sizes.values()) > MOST_BYTES else 0


def take(browser: Browser, picture: Picture, env: dict[str, str]) -> int:
    view = {"width": picture.width, "height": picture.height}
    context = browser.new_context(viewport=view, base_url=env["DASHBOARD_URL"], timezone_id="UTC")  # type: ignore[arg-type]
    page = context.new_page()
    page.emulate_media(color_scheme=picture.theme)  # type: ignore[arg-type]
    page.goto("/sign-in")
    page.fill("#token", env["ACCESS_TOKEN"])
    page.press("#token", "Enter")
    page.wait_for_selector("h1:not(:has-text('Sign in'))")
    if picture.incident:
        open_worst(page)
    image = page.screenshot(path=PLACE / picture.name)
    context.close()
    return len(image)


def open_worst(page: Page) -> None:
    """The first row of the first page."""
    page.locator("a.go").first.click()
    page.wait_for_selector(".plot")


if __name__ == "__main__":
    sys.exit(main())
