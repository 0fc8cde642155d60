"""The shop's life: decided by its seed, quiet but for what is meant to happen; and the story of the demo."""

from collections import Counter
from typing import Any

import msgspec
import pytest

from common.events.batch import decode_many
from common.events.limits import LIMITS
from local.soak.reference import Reference
from local.traffic import demo
from local.traffic.happenings import BLOCK, Happens, around, drawn
from local.traffic.shop import DAY, Life, curve, minute_of

pytestmark = pytest.mark.many

NOW = 29_600_000  # a minute of the epoch
SATURDAY = 20_554 * DAY  # its first minute
LIFE = Life(1, "prod")


def played(life: Life, happens: Happens, minutes: range) -> dict[str, Reference]:
    """Every series of these minutes, through the plain model."""
    found: dict[str, Reference] = {}
    for minute in minutes:
        for event in minute_of(life, minute, happens(minute)):
            kind = event["event_type"]
            if kind in ("error", "signup"):
                name = event["attributes"].get("error_code", kind)
                found.setdefault(name, Reference(kind)).event(minute)
    return found


def test_a_minute_is_decided_by_seed_and_minute() -> None:
    one, again = (minute_of(LIFE, NOW, around(1, NOW)) for _ in range(2))
    assert one == again
    assert one != minute_of(Life(2, "prod"), NOW, around(2, NOW))
    assert [event["second"] for event in one] == sorted(event["second"] for event in one)
    assert all(0 <= event["second"] < 60 for event in one)


def test_every_event_is_one_ingest_accepts() -> None:
    events: list[dict[str, Any]] = []
    for minute in range(NOW - 200, NOW):
        events += minute_of(LIFE, minute, demo.story(NOW))
    for event in events:
        assert event.pop("second") >= 0
        event["occurred_at"] = "2026-03-02T09:00:00Z"
    for start in range(0, len(events), 1000):
        assert decode_many(msgspec.json.encode(events[start : start + 1000]), LIMITS).rejected == []
    assert set(Counter(event["event_type"] for event in events)) >= {
        "error",
        "signup",
        "deploy",
        "http_request",
        "custom",
    }


def test_a_day_in_which_nothing_happens_opens_no_incident() -> None:
    found = played(LIFE, lambda _: [], range(NOW, NOW + DAY + 120))
    assert [name for name, series in found.items() if series.incidents] == []


def shown(now: int, minutes: int) -> dict[str, Any]:
    """What the last minutes of the story open."""
    found = played(demo.told_at(LIFE, now), demo.happens(1, now), range(now - minutes, now))
    return {name: series.incidents for name, series in found.items() if series.incidents}


def test_the_story_shows_what_broke_in_the_morning_and_what_breaks_now_and_nothing_else() -> None:
    opened = shown(SATURDAY + 13 * 60 + 17, demo.HOURS * 60)
    assert set(opened) == {"UPSTREAM_TIMEOUT", "QUERY_FAILED", "signup"}
    assert [one["status"] for one in opened["QUERY_FAILED"]] == ["resolved"]


@pytest.mark.parametrize("now", range(SATURDAY, SATURDAY + 7 * DAY, 7 * 60))  # each day, and each hour of a day
def test_it_shows_a_spike_after_a_deploy_and_a_signup_drop_whenever_it_is_told(now: int) -> None:
    opened = shown(now, 100)
    [spike], [drop] = opened["UPSTREAM_TIMEOUT"], opened["signup"]
    assert (spike["status"], drop["status"]) == ("open", "open")
    assert now - 26 < spike["opened"] <= now - 23  # the deploy is the minute before its errors
    assert now - 15 < drop["opened"] < now


def test_day_and_night_and_weekend() -> None:
    monday = 4 * DAY  # the epoch began on a Thursday
    hours = [curve(LIFE, monday + 60 * hour) for hour in range(24)]
    assert max(hours) == hours[12] == 1
    assert min(hours) == hours[0] == 0.25
    assert curve(LIFE, monday + 5 * DAY + 720) == curve(LIFE, monday + 6 * DAY + 720) == 0.6


def test_seeds_bring_all_that_may_happen_and_calm_as_well() -> None:
    blocks = [drawn(1, block) for block in range(200)]
    assert {one.kind for block in blocks for one in block} == {"deploy", "bad_deploy", "rollback", "sale", "drought"}
    calm = [block for block in blocks if not {"bad_deploy", "drought"} & {one.kind for one in block}]
    assert 20 < len(calm) < 120
    assert all(place * BLOCK <= one.first < (place + 1) * BLOCK for place, block in enumerate(blocks) for one in block)
