"""The acceptance run, shortened, holds on the stacks that need no Docker; and what is broken fails in its place."""

import json
import os
import re
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from local.acceptance.scenarios import SCENARIOS
from local.servers import java
from tests import servers
from tests.stacks.checkout import Checkout

SHORT = {"DURATION": "6", "OUTAGE": "4"}


@pytest.fixture(scope="module")
def checkout() -> Iterator[Checkout]:
    made = Checkout(servers.home())
    yield made
    made.remove()


class Walked:
    """What the run said, and its report."""

    def __init__(self, checkout: Checkout, **environ: str) -> None:
        done = checkout.make("acceptance", timeout=900, **SHORT | environ)
        self.code, self.said = done.returncode, done.stdout + done.stderr
        self.report: dict[str, Any] = json.loads((checkout.root / ".local/acceptance.json").read_text())

    @property
    def fell_short(self) -> list[str]:
        """Scenario and what of it, of everything that did not hold."""
        found = []
        for one in self.report["scenarios"]:
            found += [f"{one['name']}: {check['what']}" for check in one["checks"] if not check["held"]]
            found += [f"{one['name']}: could not: {one['could_not']}"] if one["could_not"] else []
        return found

    def held(self, scenario: str) -> list[str]:
        [one] = [one for one in self.report["scenarios"] if one["name"] == scenario]
        return [check["what"] for check in one["checks"] if check["held"]]


@pytest.mark.parametrize("stack", ["embedded", "native"])
def test_every_scenario_holds(checkout: Checkout, stack: str) -> None:
    if stack == "native":
        java.java(17)
    walked = Walked(checkout, STACK=stack)
    assert (walked.code, walked.fell_short) == (0, []), walked.said
    assert [one["name"] for one in walked.report["scenarios"]] == [one.name for one in SCENARIOS]
    assert all(one["held"] and one["checks"] for one in walked.report["scenarios"])
    assert f"{len(SCENARIOS)} of {len(SCENARIOS)} scenarios held on {stack}" in walked.said
    assert checkout.make("status").stdout.startswith("not running")  # as it was found


def test_with_the_engine_stopped_there_is_no_incident_and_search_is_complete(checkout: Checkout) -> None:
    assert checkout.make("up").returncode == 0
    engine = psutil.Process(checkout.account["parts"]["incident_engine"])
    os.killpg(engine.pid, signal.SIGSTOP)
    walked = Walked(checkout, ONLY="spike")
    assert walked.code == 1
    assert len(walked.fell_short) == 1
    assert re.match(r"spike: could not: an incident of \S+: not within", walked.fell_short[0])
    assert {"events that were accepted", "events of that time in search"} <= set(walked.held("spike"))


def test_with_the_model_broken_the_job_fails_and_the_incident_is_there(checkout: Checkout) -> None:
    checkout.make("down")
    assert checkout.make("up", GRADIENT_MODEL="stand-in:error").returncode == 0
    walked = Walked(checkout, ONLY="spike")
    assert walked.code == 1
    assert walked.fell_short[0] == "spike: its AI job"
    assert {"incidents it has", "errors it counts"} <= set(walked.held("spike"))


@pytest.mark.parametrize(
    ("change", "falls_short"),
    [
        (
            ("SPIKE_ERRORS, SPIKE_TIMES = 30, 3", "SPIKE_ERRORS, SPIKE_TIMES = 31, 3"),
            "THIRTY: observed, usual, severity",
        ),
        (("DROP_SIGNUPS, DROP_USUAL = 10, 40", "DROP_SIGNUPS, DROP_USUAL = 11, 40"), "incidents beside these"),
    ],
)
def test_a_rule_whose_number_was_changed_falls_short_at_its_boundary(
    checkout: Checkout, change: tuple[str, str], falls_short: str
) -> None:
    rules: Path = checkout.root / "common/detection/rules.py"
    text = rules.read_text()
    rules.write_text(text.replace(*change))
    assert rules.read_text() != text
    checkout.make("down")
    walked = Walked(checkout, ONLY="boundaries")
    rules.write_text(text)
    assert walked.code == 1
    assert f"boundaries: {falls_short}" in walked.fell_short


def test_what_could_not_run_has_failed(checkout: Checkout) -> None:
    checkout.make("down")
    walked = Walked(checkout, STACK="big")
    assert (walked.code, walked.report["well"]) == (1, False)
    assert len(walked.fell_short) == len(SCENARIOS)
    assert "it may be embedded, native, compose" in walked.fell_short[0]
