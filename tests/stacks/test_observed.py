"""A running stack from outside: the Bruno collection is green against it, and each of its parts can be scraped."""

import json
import os
import subprocess
from collections.abc import Iterator

import httpx
import pytest

from local import parts
from local.checkout import Checkout
from local.servers import process
from tests import servers

HINT = "npm install -g @usebruno/cli@4.1.0"


@pytest.fixture(scope="module")
def checkout() -> Iterator[Checkout]:
    made = Checkout(servers.home())
    done = made.make("up")
    assert done.returncode == 0, done.stderr + done.stdout
    yield made
    assert made.make("down").returncode == 0
    made.remove()


def test_the_bruno_collection_is_green(checkout: Checkout) -> None:
    bru = process.program("bru", HINT)
    # In its other sandbox each script takes a second.
    words = [bru, "run", "--env", "local", "--sandbox", "developer"]
    environ = os.environ | {name: value for name, value in checkout.env().items() if value}
    folder = checkout.root / "docs/bruno"
    done = subprocess.run(words, cwd=folder, env=environ, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr


def test_every_part_can_be_scraped(checkout: Checkout) -> None:
    found = json.loads((checkout.root / ".local/observe/targets.json").read_text())
    pages = {one["labels"]["part"]: httpx.get(f"http://{one['targets'][0]}/metrics").text for one in found}
    assert pages.keys() == {part.name for part in parts.FUNCTIONS} | {parts.POLLER}
    assert all(page.startswith("# HELP signals_build_info") for page in pages.values())
