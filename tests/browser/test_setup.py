"""The first minutes: a key, a snippet that works as it was copied, and a page that tells when the event is there."""

import re
import subprocess
import sys
import time

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Opened, Stack

PROGRAMS = {"curl": ["bash", "-c"], "python": [sys.executable, "-c"], "javascript": ["node", "-e"]}


@pytest.mark.parametrize("language", PROGRAMS)
def test_a_snippet_works_as_it_stands(stack: Stack, opened: Opened, language: str) -> None:
    project = f"first-{language}-{time.time_ns() % 10**9}"
    page = opened()
    page.clock.install()
    page.goto("/setup")
    page.locator("#project summary").click()
    page.fill("form[action='/setup/projects'] input[name=id]", project)
    page.fill("form[action='/setup/projects'] input[name=name]", "First")
    page.click("form[action='/setup/projects'] button")
    page.fill("form[action='/setup/keys'] input[name=name]", "first")
    page.click("form[action='/setup/keys'] button")
    expect(page.locator("#first")).to_contain_text(f"Waiting for the first event of {project}.")
    text = page.locator(f"#text-{language}").inner_text()

    done = subprocess.run([*PROGRAMS[language], text], capture_output=True, text=True, timeout=30, check=True)
    assert "event_id" in done.stdout

    stack.wait_for("SELECT 1 FROM activity WHERE project_id = :project", project=project)
    stack.wait_for("SELECT 1 FROM events WHERE project_id = :project", project=project)
    expect(page.locator("#live")).to_contain_text("Live")
    page.clock.run_for(4_000)
    expect(page.locator("#first")).to_contain_text(re.compile(r'The first event arrived at .*: error, prod, "boom"'))
    expect(page.locator("#secret")).to_have_value(re.compile("^sck_"))  # the one page that has the key
    expect(page.locator("#live")).to_contain_text("As of")
