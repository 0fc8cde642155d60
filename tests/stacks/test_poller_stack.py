"""A whole stack with its poller: what is accepted reaches the station, the clock ticks, a killed poller comes back."""

import base64
import json
import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from local.checkout import Checkout
from tests import servers

STATION = '''"""A station that writes down what it is given."""
import os
import msgspec
from common import edge, topics
from common.clients.stream import dead

def handle(records):
    with open(os.environ["JOURNAL"], "ab") as journal:
        journal.writelines(msgspec.json.encode(one) + b"\\n" for one in records)
    return []

asgi, gcp, aws, main = edge.stream(handle, dead.bury_for("indexer"), topic=topics.RAW)
'''
SCHEDULE = '''"""A job that writes down when it ran."""
import os

def run(now):
    with open(os.environ["JOURNAL"] + ".ticks", "a") as journal:
        print(now.isoformat(), file=journal)
    return 1
'''


@pytest.fixture(params=["embedded", "native"])
def checkout(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Checkout]:
    """A copy whose only station is ours, and whose only clock job."""
    made = Checkout(servers.home())
    for name in ("indexer", "incident_engine", "ai_worker", "archiver"):
        (made.root / f"functions/{name}/main.py").unlink(missing_ok=True)
    for job in (made.root / "schedules").glob("*.py"):
        job.unlink()
    for path, text in (("functions/indexer/main.py", STATION), ("schedules/sweep_jobs.py", SCHEDULE)):
        (made.root / path).parent.mkdir(exist_ok=True)
        (made.root / path).write_text(text)
    done = made.make("up", STACK=request.param, JOURNAL=str(tmp_path / "journal"))
    assert done.returncode == 0, done.stdout + done.stderr
    yield made
    made.remove()


def test_what_is_accepted_reaches_the_station_and_a_killed_poller_comes_back(
    checkout: Checkout, tmp_path: Path
) -> None:
    sent = [post(checkout, n) for n in range(3)]
    wait_for(lambda: values(tmp_path) == sent)
    ticks = tmp_path / "journal.ticks"
    wait_for(ticks.exists)
    wait_for(lambda: len(ticks.read_text().splitlines()) >= 2)

    before = checkout.account["parts"]["poller"]
    os.kill(before, signal.SIGKILL)
    sent += [post(checkout, n) for n in range(3, 6)]
    wait_for(lambda: [*dict.fromkeys(values(tmp_path))] == sent)  # what was not committed may come twice

    address = f"http://127.0.0.1:{checkout.env()['POLLER_PORT']}"
    wait_for(lambda: httpx.get(f"{address}/lag").json()["stations"]["indexer"]["lag"] == 0)
    assert httpx.get(f"{address}/health").json()["status"] == "ok"
    assert checkout.make("health").returncode == 0
    assert "poller" in checkout.make("status").stdout


def post(checkout: Checkout, number: int) -> str:
    """Accepted: the id it was given."""
    env = checkout.env()
    event = {"event_type": "error", "message": f"number {number}", "occurred_at": "2026-03-01T12:00:00Z"}
    answer = httpx.post(f"{env['INGEST_API_URL']}/v1/events", json=event, headers={"X-Api-Key": env["PROJECT_API_KEY"]})
    assert answer.status_code == 202, answer.text
    return str(answer.json()["event_id"])


def values(folder: Path) -> list[str]:
    """The ids the station was given, in the order of its records."""
    journal = folder / "journal"
    lines: list[dict[str, Any]] = (
        [json.loads(line) for line in journal.read_text().splitlines()] if journal.exists() else []
    )
    return [json.loads(base64.b64decode(one["value"]))["event_id"] for one in lines]


def wait_for(condition: Callable[[], bool], seconds: float = 30) -> None:
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, "it did not come to pass"
        time.sleep(0.05)
