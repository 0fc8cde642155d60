"""One embedded stack for all of it, and a real Chromium for each file. Whatever a page complains of fails its test."""

import json
import shutil
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, sync_playwright

from common import settings
from common.clients.postgres.connection import Connection
from local.checkout import Checkout
from local.servers.process import Missing, is_root
from tests import servers

PROGRAMS = ("chromium", "google-chrome", "chromium-browser")
SCREENSHOTS = servers.ROOT / ".local" / "screenshots"
QUIET = ("--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run")


class Stack:
    """A running stack: its addresses, its database, and how to send to it."""

    def __init__(self, checkout: Checkout) -> None:
        done = checkout.make("up")
        assert done.returncode == 0, done.stderr + done.stdout
        self.said, self.env = done.stdout, checkout.env()
        self.url, self.token = self.env["DASHBOARD_URL"], self.env["ACCESS_TOKEN"]
        self.conn = Connection(settings.read({"DATABASE_URL": self.env["DATABASE_URL"]}).database)

    def send(self, *events: dict[str, Any]) -> None:
        headers = {"x-api-key": self.env["PROJECT_API_KEY"]}
        lines = "\n".join(json.dumps(event) for event in events)
        answer = httpx.post(f"{self.env['INGEST_API_URL']}/v1/events/batch", content=lines, headers=headers, timeout=30)
        assert answer.status_code == 202, answer.text

    def spike(self, code: str, **fields: Any) -> str:
        """Thirty errors of this code; the incident they open, as soon as it is there."""
        self.send(*(error(code, **fields) for _ in range(30)))
        return str(self.wait_for("SELECT id::text FROM incidents WHERE error_code = :code", code=code)[0])

    def wait_for(self, sql: str, seconds: float = 30, **values: object) -> list[Any]:
        until = time.monotonic() + seconds
        while not (rows := self.conn.run(sql, **values)):
            assert time.monotonic() < until, sql
            time.sleep(0.05)
        return list(rows[0])


def error(code: str, message: str = "upstream timed out", **fields: Any) -> dict[str, Any]:
    event = {"event_type": "error", "environment": "prod", "severity": "error", "message": message}
    attributes = {"route": "/checkout", "error_code": code, "release": "2.14.0"}
    return event | {"occurred_at": datetime.now(UTC).isoformat(), "attributes": attributes} | fields


@pytest.fixture(scope="session")
def stack() -> Iterator[Stack]:
    checkout = Checkout(servers.home())
    made = Stack(checkout)
    yield made
    made.conn.close()
    checkout.remove()


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """Of one file: while it runs, no other event loop may run in this thread."""
    program = next(filter(None, map(shutil.which, PROGRAMS)), None)
    if program is None:
        raise Missing("no Chromium is installed; on Debian: apt install chromium")
    with sync_playwright() as playwright:
        words = [*QUIET, *(["--no-sandbox"] if is_root() else [])]
        browser = playwright.chromium.launch(executable_path=program, args=words)
        yield browser
        browser.close()


Opened = Callable[..., Page]


@pytest.fixture
def opened(chromium: Browser, stack: Stack) -> Iterator[Opened]:
    """Opens pages as a reader would, signed in unless told otherwise; in the end none of them has complained."""
    contexts: list[BrowserContext] = []
    complaints: list[str] = []

    def open_page(
        *, token: str = stack.token, sign_in: bool = True, width: int = 1440, but: str = "none", **options: Any
    ) -> Page:
        """`but` is in complaints that are the test's own doing."""

        def hear(message: ConsoleMessage) -> None:
            if message.type in ("error", "warning") and but not in message.text:
                complaints.append(message.text)

        height = {390: 844, 768: 1024}.get(width, 900)
        context = chromium.new_context(viewport={"width": width, "height": height}, base_url=stack.url, **options)
        contexts.append(context)
        page = context.new_page()
        page.on("console", hear)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("dialog", lambda dialog: complaints.append(f"a dialog: {dialog.message}"))
        if sign_in:
            page.goto("/sign-in")
            page.fill("#token", token)
            page.press("#token", "Enter")
            page.wait_for_selector("h1:not(:has-text('Sign in'))")
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert complaints == []


def keep(page: Page, name: str, **options: Any) -> Path:
    """A screenshot as an artefact of the run."""
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    path = SCREENSHOTS / f"{name}.png"
    page.screenshot(path=path, full_page=True, **options)
    return path
