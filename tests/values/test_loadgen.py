"""What loadgen sends, line by line: alike for the same seed, and in each mode what the mode is for."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any
from uuid import UUID

import msgspec
import pytest

from common.events.batch import decode_many
from common.events.limits import LIMITS
from local.loadgen.__main__ import parser, plan_of
from local.loadgen.events import MODES, Plan, batch_of, flow
from local.soak.reference import Reference

BEGAN = datetime(2026, 3, 2, 9, 0, 30, tzinfo=UTC)
RUN, OTHER = "0123456789abcdef01", "fedcba9876543210fe"


def plan(mode: str = "normal", **fields: Any) -> Plan:
    return Plan(mode, 50.0, 60.0, 1, 7, "prod", RUN, BEGAN)._replace(**fields)


def events_of(plan: Plan) -> list[dict[str, Any]]:
    return [event for number in range(plan.batches) for event in batch_of(plan, number)]


def references(events: list[dict[str, Any]]) -> dict[tuple[str, str], Reference]:
    """What the plain model makes of each series."""
    found: dict[tuple[str, str], Reference] = {}
    for event in events:
        if event["event_type"] in ("error", "signup"):
            code = event["attributes"].get("error_code", "")
            minute = int(datetime.fromisoformat(event["occurred_at"]).timestamp() // 60)
            found.setdefault((event["event_type"], code), Reference(event["event_type"])).event(minute)
    return found


@pytest.mark.parametrize("mode", MODES)
def test_the_same_seed_gives_the_same_events_and_another_run_other_ids(mode: str) -> None:
    one, again, other = plan(mode), plan(mode), plan(mode, run=OTHER)
    assert events_of(one) + flow(one) == events_of(again) + flow(again)
    pairs = list(zip(events_of(one), events_of(other), strict=True))
    assert all(mine["event_id"] != theirs["event_id"] for mine, theirs in pairs)
    assert [mine | {"event_id": ""} for mine, _ in pairs] == [theirs | {"event_id": ""} for _, theirs in pairs]


def test_another_seed_gives_other_events() -> None:
    assert events_of(plan(seed=1)) != events_of(plan(seed=2))


@pytest.mark.parametrize("mode", MODES)
def test_every_event_is_one_ingest_accepts_with_an_id_that_names_its_line(mode: str) -> None:
    one = plan(mode)
    for number in range(one.batches):
        batch = batch_of(one, number)
        decoded = decode_many(msgspec.json.encode(batch), LIMITS)
        assert (len(decoded.events), decoded.rejected) == (len(batch), [])
    ids = [event["event_id"] for event in flow(one) + events_of(one)]
    assert len(set(ids)) == len(ids)
    assert all(str(UUID(each)) == each for each in ids)
    assert [int(event["event_id"][-12:], 16) for event in events_of(one)] == list(range(one.lines))


@pytest.mark.parametrize(("rate", "seconds"), [(1, 900), (20, 900), (200, 330)])
def test_normal_life_opens_no_incident_at_any_rate(rate: float, seconds: float) -> None:
    found = references(events_of(plan(rate=rate, seconds=seconds, batch=100)))
    assert {kind for kind, _ in found} == {"error", "signup"}
    assert [series for series, reference in found.items() if reference.incidents] == []


def test_every_second_event_of_a_spike_is_the_same_error() -> None:
    events = events_of(plan("spike_errors"))
    assert Counter(event["event_type"] == "error" for event in events[1::2]) == {True: len(events) // 2}
    found = references(events)
    assert [series for series, one in found.items() if one.incidents] == [("error", "UPSTREAM_TIMEOUT")]


def test_signups_that_dry_up_are_a_drop_as_soon_as_the_run_begins() -> None:
    one = plan("drop_signups")
    assert "signup" not in {event["event_type"] for event in events_of(one)}
    [incident] = references(flow(one))["signup", ""].incidents
    begins = int(BEGAN.timestamp() // 60)
    assert (incident["opened"] - begins, incident["observed"], incident["hour"]) == (-5, 8, 240)
    assert (incident["severity"], incident["peak"]) == ("critical", 0)


def test_a_deploy_comes_after_a_third_of_the_time_and_errors_only_after_it() -> None:
    events = events_of(plan("deploy_then_spike"))
    kinds = [event["event_type"] for event in events]
    assert kinds.count("deploy") == 1
    at = kinds.index("deploy")
    assert at == len(events) // 3
    spikes = [
        n for n, event in enumerate(events) if event.get("attributes", {}).get("error_code") == "UPSTREAM_TIMEOUT"
    ]
    assert min(spikes) > at
    assert {events[n]["attributes"]["release"] for n in [at, *spikes]} == {"v2.15.0"}


@pytest.mark.parametrize(("rate", "seconds", "batch"), [(1000, 600, 100), (0.5, 60, 1), (33, 10, 7), (20_000, 3, 100)])
def test_batches_are_due_at_even_distances_none_before_its_last_event_happened(
    rate: float, seconds: float, batch: int
) -> None:
    one = plan(rate=rate, seconds=seconds, batch=batch)
    dues = [one.due(number) for number in range(one.batches)]
    assert dues[-1] == pytest.approx(seconds)
    assert all(later - earlier <= batch / rate + 1e-9 for earlier, later in pairwise(dues))
    last = datetime.fromisoformat(batch_of(one, 0)[-1]["occurred_at"])
    assert last - BEGAN <= timedelta(seconds=dues[0])


@pytest.mark.parametrize("said", ["--rate 0", "--rate nan", "--rate inf", "--rate many", "--duration -1", "--batch 0"])
def test_what_cannot_be_is_refused_with_the_word_that_is_wrong(said: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parser().parse_args(said.split())
    name, value = said.split()
    assert f"argument {name}: {value} is no " in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "batch"),
    [
        (["--rate", "1000"], 100),
        (["--rate", "50"], 5),
        (["--rate", "2"], 1),
        (["--rate", "20", "--batch", "400"], 400),
    ],
)
def test_a_request_has_a_tenth_of_a_seconds_events_unless_told(words: list[str], batch: int) -> None:
    assert plan_of(parser().parse_args(words)).batch == batch
