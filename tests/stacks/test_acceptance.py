"""The acceptance run, shortened, holds on the stacks that need no Docker; and what is broken fails in its place."""

import json
import os
import re
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from local.acceptance.scenarios import SCENARIOS
from local.checkout import Checkout
from local.servers import java
from tests import servers

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


def test_what_kills_and_what_waits_for_nobody_holds_on_the_one_server_too(checkout: Checkout) -> None:
    """Without what needs another clock, which is a second start; run by hand, the whole list holds."""
    walked = Walked(checkout, STACK="server", ONLY="spike,queries,outage,model")
    assert (walked.code, walked.fell_short) == (0, []), walked.said
    assert [one["name"] for one in walked.report["scenarios"]] == ["spike", "queries", "outage", "model"]


def test_with_the_model_broken_the_job_fails_and_with_the_engine_stopped_there_is_no_incident(
    checkout: Checkout,
) -> None:
    assert checkout.make("up", GRADIENT_MODEL="stand-in:error").returncode == 0
    model = Walked(checkout, ONLY="spike")
    assert model.code
    assert model.fell_short[0] == "spike: its AI job"
    assert {"incidents it has", "errors it counts"} <= set(model.held("spike"))

    os.killpg(checkout.account["parts"]["incident_engine"], signal.SIGSTOP)
    engine = Walked(checkout, ONLY="spike", PATIENCE="6")
    assert engine.code
    assert len(engine.fell_short) == 1
    assert re.match(r"spike: could not: an incident of \S+: not within", engine.fell_short[0])
    assert {"events that were accepted", "events of that time in search"} <= set(engine.held("spike"))
    checkout.make("down")


def test_a_rule_whose_number_was_changed_falls_short_at_its_boundary(checkout: Checkout) -> None:
    rules: Path = checkout.root / "common/detection/rules.py"
    text = rules.read_text()
    thirty_one = text.replace("SPIKE_ERRORS, SPIKE_TIMES = 30, 3", "SPIKE_ERRORS, SPIKE_TIMES = 31, 3")
    rules.write_text(thirty_one.replace("DROP_SIGNUPS, DROP_USUAL = 10, 40", "DROP_SIGNUPS, DROP_USUAL = 11, 40"))
    walked = Walked(checkout, ONLY="boundaries", PATIENCE="8")
    rules.write_text(text)
    assert walked.code
    missed = [f"boundaries: {name}: observed, usual, severity" for name in ("THIRTY", "NEARLY_CRITICAL", "CRITICAL")]
    assert walked.fell_short == [*missed, "boundaries: incidents beside these"]


def test_what_could_not_run_has_failed(checkout: Checkout) -> None:
    checkout.make("down")
    walked = Walked(checkout, STACK="big")
    assert walked.code
    assert walked.report["well"] is False
    assert len(walked.fell_short) == len(SCENARIOS)
    assert "it may be embedded, native, compose" in walked.fell_short[0]
