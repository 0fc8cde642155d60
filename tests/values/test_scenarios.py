"""The scenarios in fixtures/ are what their script makes, and what they must give is what the plain model says."""

import json
from datetime import datetime
from typing import Any

import pytest

from common.events.envelope import Event
from common.events.limits import LIMITS
from common.events.reading import decode_one
from local.scenarios.__main__ import FOLDER, expectation, lines
from local.scenarios.scene import BASE, Expected, Scene
from local.scenarios.scenes import scenes
from local.soak.reference import Reference

pytestmark = pytest.mark.many

SCENES = scenes()
REQUIRED = {"spike_errors", "drop_signups", "deploy_then_spike", "steady_is_quiet", "two_services_one_cause"} | {
    "late_and_out_of_order",
    "duplicates",
    "clock_skew",
    "recurrence",
}


def minute_of(event: dict[str, Any]) -> int:
    return int((datetime.fromisoformat(event["occurred_at"]) - BASE).total_seconds() // 60)


def by_reference(scene: Scene) -> list[Expected]:
    """One event at a time, each id once; what lies in the future is another series, and never seen again."""
    series: dict[str, Reference] = {}
    known: set[str] = set()
    for event in scene.events:
        kind, attributes = event["event_type"], event.get("attributes", {})
        if event.get("event_id") in known or kind not in ("error", "signup"):
            continue
        known |= {event["event_id"]} if "event_id" in event else set()
        name = f"{attributes['error_code']}|{attributes['route']}|prod" if kind == "error" else "signup|prod"
        series.setdefault(name, Reference(kind)).event(minute_of(event))
    return [expected(name, one, found) for name, one in series.items() for found in incidents(one)]


def incidents(reference: Reference) -> list[dict[str, Any]]:
    reference.recount()
    return reference.incidents


def expected(name: str, reference: Reference, found: dict[str, Any]) -> Expected:
    return Expected(
        fingerprint=name,
        opened=found["opened"],
        last_seen=found["seen"],
        observed=found["observed"],
        hour=found["hour"],
        peak=found["peak"],
        events=found["number"],
        severity=found["severity"],
        resolved=found["resolved"],
        recurrence=found["recurs"],
        rule="error_spike" if reference.kind == "error" else "signup_drop",
    )


@pytest.mark.parametrize("scene", SCENES, ids=lambda scene: scene.name)
def test_the_files_are_what_the_script_makes_of_its_seed(scene: Scene) -> None:
    assert (FOLDER / f"{scene.name}.ndjson").read_text() == lines(scene)
    assert (FOLDER / f"{scene.name}.expected.json").read_text() == expectation(scene)


@pytest.mark.parametrize("scene", SCENES, ids=lambda scene: scene.name)
def test_what_is_expected_is_what_the_plain_model_says(scene: Scene) -> None:
    assert sorted(by_reference(scene)) == sorted(scene.incidents)


@pytest.mark.parametrize("scene", SCENES, ids=lambda scene: scene.name)
def test_every_line_is_an_event_that_ingest_accepts(scene: Scene) -> None:
    for line in (FOLDER / f"{scene.name}.ndjson").read_bytes().splitlines():
        assert isinstance(decode_one(line, LIMITS), Event)


def test_every_scenario_that_was_promised_is_there_and_one_can_be_read_by_eye() -> None:
    assert {scene.name for scene in SCENES} >= REQUIRED
    assert {path.name.partition(".")[0] for path in FOLDER.iterdir()} == {scene.name for scene in SCENES}
    assert len(lines(SCENES[0]).splitlines()) < 40
    assert sum(path.stat().st_size for path in FOLDER.iterdir()) < 3_000_000


def test_silence_at_noon_of_the_quiet_week_would_be_a_drop() -> None:
    """Else it would prove nothing that it opens none."""
    week = next(scene for scene in SCENES if scene.name == "steady_is_quiet")
    noon = 24 * 60 + 12 * 60
    minutes = [minute_of(one) for one in week.events if one["event_type"] == "signup"]
    cut = Reference("signup")
    for minute in [*(minute for minute in minutes if minute < noon), noon + 20]:
        cut.event(minute)
    assert [one["severity"] for one in cut.incidents] == ["critical"]
    assert json.loads((FOLDER / "steady_is_quiet.expected.json").read_text())["incidents"] == []
