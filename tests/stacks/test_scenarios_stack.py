"""Each scenario of fixtures/, replayed into a running stack: its incidents and counts are exactly those expected."""

import json
import re
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from local.checkout import Checkout, clean_environment
from local.replay.replay import Replay, Wanted
from local.scenarios.__main__ import FOLDER
from local.sending import courier
from local.sending.target import Api, Unusable
from tests import servers

NAMES = sorted(path.name.partition(".")[0] for path in FOLDER.glob("*.ndjson"))
STATIONS = ("indexer", "incident_engine", "ai_worker")
MONTH = timedelta(days=30)


class Stack:
    def __init__(self, checkout: Checkout) -> None:
        self.checkout = checkout
        done = checkout.make("up")
        assert done.returncode == 0, done.stdout + done.stderr
        self.env = checkout.env()
        self.api = Api(self.env)

    def replay(self, name: str, **wanted: Any) -> Replay:
        made = Replay(Wanted([str(FOLDER / f"{name}.ndjson")], **wanted), self.env, threading.Event())
        made.run()
        return made

    def settle(self) -> None:
        """Until these stations have answered for every record; the archiver waits for a minute to be full."""
        url, until = f"http://127.0.0.1:{self.env['POLLER_PORT']}/lag", time.monotonic() + 60
        while any(httpx.get(url, timeout=10).json()["stations"][name]["lag"] for name in STATIONS):
            assert time.monotonic() < until
            time.sleep(0.1)

    def counts(self, project: str, first: datetime) -> Counter[str]:
        """By type, of the days from there on and of today: a time in the future is set back to now."""
        found: Counter[str] = Counter()
        now = datetime.now(UTC)
        for start, end in ((first, first + timedelta(days=20)), (now - timedelta(days=1), now)):
            asked = {"project_id": project, "from": start.isoformat(), "to": end.isoformat(), "step": "day"}
            series = self.api.get("/v1/metrics/trends", **asked)["series"]
            found.update({one["name"]: one["total"] for one in series if one["total"]})
        return found


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    checkout = Checkout(servers.home())
    made = Stack(checkout)
    yield made
    made.api.close()
    checkout.remove()


def expectation(name: str) -> dict[str, Any]:
    return dict(json.loads((FOLDER / f"{name}.expected.json").read_text()))


def shown(incident: dict[str, Any]) -> dict[str, Any]:
    """As an expectation says it; the title is the model's, and ids are new each time."""
    names = ("fingerprint", "rule", "severity", "status", "opened_at", "last_seen_at", "resolved_at", "observed")
    kept = {name: incident[name] for name in (*names, "peak", "event_count")}
    return kept | {"usual": round(incident["usual"], 3), "recurrence": incident["recurrence_of"] is not None}


def in_order(incident: dict[str, Any]) -> tuple[str, str]:
    return incident["opened_at"], incident["fingerprint"]


@pytest.mark.parametrize("name", NAMES)
def test_a_scenario_gives_the_incidents_and_counts_that_are_expected(stack: Stack, name: str) -> None:
    expected, project = expectation(name), name.replace("_", "-")
    replayed = stack.replay(name, project=project)
    assert replayed.report()["events"]["accepted"] == expected["lines"]
    stack.settle()
    found = stack.api.get("/v1/incidents", project_id=project)["incidents"]
    assert sorted(map(shown, found), key=in_order) == sorted(expected["incidents"], key=in_order)
    assert stack.counts(project, replayed.facts.first) == expected["counts"]
    with pytest.raises(Unusable, match=f"project {project} already holds"):
        stack.replay(name, project=project)


def test_history_that_is_moved_to_now_gives_the_same_incident_now(stack: Stack) -> None:
    stack.replay("deploy_then_spike", project="moved", shift=True)
    stack.settle()
    [incident] = stack.api.get("/v1/incidents", project_id="moved")["incidents"]
    [expected] = expectation("deploy_then_spike")["incidents"]
    same = ("fingerprint", "severity", "observed", "peak", "event_count")
    assert {name: incident[name] for name in same} == {name: expected[name] for name in same}
    opened = datetime.fromisoformat(incident["opened_at"])
    assert timedelta(minutes=36) <= datetime.now(UTC) - opened <= timedelta(minutes=42)


def test_whoever_knows_may_count_twice_and_ids_that_are_kept_are_not(stack: Stack) -> None:
    for _ in range(2):
        stack.replay("thirty_are_enough", project="twice", keep_ids=True, knowing=True)
    for _ in range(2):
        stack.replay("duplicates", project="kept", keep_ids=True, knowing=True)
    stack.settle()
    first = datetime(2026, 3, 2, tzinfo=UTC)
    assert stack.counts("kept", first)["error"] == expectation("duplicates")["counts"]["error"]
    assert stack.counts("twice", first)["error"] == 2 * 30  # its lines have no ids of their own


def test_events_that_ingest_finds_too_large_together_are_all_taken(
    stack: Stack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(courier, "MOST_BYTES", 4 * 1024 * 1024)  # as one who believes that it takes more
    line = {"event_type": "custom", "message": "large", "occurred_at": "2026-03-02T09:00:00Z"}
    path = tmp_path / "large.ndjson"
    path.write_text((json.dumps(line | {"payload": {"text": "x" * 60_000}}) + "\n") * 40)
    replay = Replay(Wanted([str(path)], project="large"), stack.env, threading.Event())
    replay.run()
    told = replay.report()
    assert told["events"] == {"sent": 40, "accepted": 40, "refused": 0, "given_up": 0}
    assert told["errors"] == {"413 too_large": 3}  # of forty, twenty and twenty: ten fit


def test_the_client_that_applications_paste_is_understood(stack: Stack) -> None:
    [client] = re.findall(r"```python\n(.*?)```", (servers.ROOT / "docs/how-to/send-events.md").read_text(), re.DOTALL)
    words, environ = [sys.executable, "-c", client], clean_environment() | stack.env
    environ["PROJECT_API_KEY"] = stack.api.key_of("pasted")
    assert subprocess.run(words, env=environ, capture_output=True, text=True, timeout=60, check=True).stdout == ""
    stack.settle()
    assert stack.counts("pasted", datetime.now(UTC) - MONTH) == {"signup": 1, "error": 1}


def test_the_demo_tells_its_story_and_goes_on(stack: Stack) -> None:
    """As `make demo` does it, into a project of its own; within a minute all of it can be seen."""
    words = [sys.executable, "-m", "local", "demo", "--project", "story"]
    demo = subprocess.Popen(
        words,
        cwd=stack.checkout.root,
        env=clean_environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    began, opened = time.monotonic(), dict[str, Any]()
    while len(opened) < 3 and time.monotonic() - began < 60:
        time.sleep(0.5)
        opened = {one["fingerprint"]: one for one in incidents_of(stack, "story")}
    print(f"the story is told after {time.monotonic() - began:.1f} s")
    demo.send_signal(signal.SIGINT)
    out, err = demo.communicate(timeout=60)
    assert (demo.returncode, json.loads(out)["events"]["refused"]) == (0, 0), err
    assert sorted(re.sub(r"\|.*", "", one) for one in opened) == ["QUERY_FAILED", "UPSTREAM_TIMEOUT", "signup"]
    stack.settle()
    by_code = {one["error_code"] or "signup": one for one in incidents_of(stack, "story")}
    states = {name: one["status"] for name, one in by_code.items()}
    assert states == {"QUERY_FAILED": "resolved", "UPSTREAM_TIMEOUT": "open", "signup": "open"}
    spike = stack.api.get(f"/v1/incidents/{by_code['UPSTREAM_TIMEOUT']['id']}")
    assert [one["service"] for one in spike["deploys"]] == ["payments"]


def incidents_of(stack: Stack, project: str) -> list[dict[str, Any]]:
    try:
        return list(stack.api.get("/v1/incidents", project_id=project)["incidents"])
    except Unusable:  # the project is about to be made
        return []
