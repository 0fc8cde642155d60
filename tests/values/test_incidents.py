"""What people may do to an incident, what its timeline says, what it is called, and which time it goes by."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import pytest
from msgspec.structs import replace

from common.incidents import clock, people
from common.incidents.incident import Incident
from common.incidents.people import Moment, Person, Refusal
from common.incidents.play import play, tick
from common.incidents.state import Run, State
from common.incidents.timeline import Entry
from common.incidents.title import title

ANA = Person("ana", "on it")
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def ids() -> Callable[[], str]:
    numbers = count()
    return lambda: f"i{next(numbers)}"


def burst(minute: int = 10) -> Incident:
    return play(State("error_spike"), [Run(minute, False, range(30))], ids()).opened[0]


def state(incident: Incident, newest: int = 10, **rows: Any) -> State:
    return State("error_spike", newest, None, incident, **rows)


def test_an_open_incident_is_acknowledged_and_let_go_again() -> None:
    answer = people.acknowledge(burst(), ANA, 11)
    assert not isinstance(answer, Refusal)
    incident, entry = answer
    assert (incident.status, entry) == ("investigating", Entry("i0", 11, "ana", "acknowledged", "on it"))
    again = people.unacknowledge(incident, ANA, 12)
    assert not isinstance(again, Refusal)
    assert again[0] == burst()


@pytest.mark.parametrize(
    ("act", "status", "code"),
    [
        (people.acknowledge, "investigating", "not_open"),
        (people.acknowledge, "resolved", "not_open"),
        (people.unacknowledge, "open", "not_acknowledged"),
        (people.unacknowledge, "resolved", "not_acknowledged"),
    ],
)
def test_an_incident_in_another_state_is_not_acknowledged_or_let_go(act: Any, status: Any, code: str) -> None:
    answer = act(replace(burst(), status=status), ANA, 11)
    assert isinstance(answer, Refusal)
    assert answer.code == code


def test_a_person_resolves_in_the_minute_of_the_series() -> None:
    played, refusal = people.resolve(state(burst()), "i0", ANA, Moment(12, 12), ids())
    assert refusal is None
    assert played.updated is not None
    assert (played.updated.status, played.updated.resolved_at, played.updated.by_person) == ("resolved", 12, 12)
    assert played.timeline == [Entry("i0", 12, "ana", "resolved", "on it")]


def test_too_late_to_resolve_by_hand_what_time_has_done_is_written_all_the_same() -> None:
    played, refusal = people.resolve(state(burst()), "i0", ANA, Moment(71, 71), ids())
    assert refusal is not None
    assert refusal.code == "already_resolved"
    assert played.updated is not None
    assert (played.updated.resolved_at, played.updated.by_person) == (70, None)
    assert [(entry.who, entry.what, entry.minute) for entry in played.timeline] == [("clock", "resolved", 70)]


def test_behind_a_shut_gate_a_person_acts_at_the_newest_minute_and_the_timeline_says_so() -> None:
    played, refusal = people.resolve(state(burst(), newest=40), "i0", ANA, Moment(300, None), ids())
    assert refusal is None
    assert played.updated is not None
    assert played.updated.by_person == 40
    assert played.timeline[0].why == f"on it {people.BEHIND}"


def test_a_person_means_the_incident_they_saw_not_one_that_opened_meanwhile() -> None:
    signups = State("signup_drop", 99, 99, values=dict.fromkeys(range(20, 100), 8))
    first = tick(signups, 120, ids()).opened[0]
    resolved, _ = people.resolve(replace(signups, incident=first, judged=120), "i0", ANA, Moment(120, 120), ids())
    before = replace(signups, incident=resolved.incident, judged=120)
    played, refusal = people.reopen(before, "i0", ANA, Moment(140, 140), lambda: "later")
    assert refusal is not None
    assert refusal.code == "not_newest"
    assert [incident.id for incident in played.opened] == ["later"]
    assert played.opened[0].recurrence_of == "i0"


def test_a_reopened_incident_counts_what_came_meanwhile_and_lasts_sixty_minutes_more() -> None:
    resolved, _ = people.resolve(state(burst()), "i0", ANA, Moment(12, 12), ids())
    assert resolved.updated is not None
    later = state(resolved.updated, newest=40, values={13: 4, 40: 1, 90: 7}, criticals={40: 1})
    played, refusal = people.reopen(later, "i0", ANA, Moment(20, 20), ids())
    assert refusal is None
    incident = played.updated
    assert incident is not None
    assert (incident.status, incident.end, incident.event_count, incident.last_event_at) == ("open", 100, 42, 90)
    assert incident.severity == "critical"
    assert [entry.what for entry in played.timeline] == ["reopened", "worsened"]


def test_what_is_not_resolved_is_not_reopened() -> None:
    _, refusal = people.reopen(state(burst()), "i0", ANA, Moment(12, 12), ids())
    assert refusal is not None
    assert refusal.code == "not_resolved"


def test_assigning_and_commenting_only_leave_their_entries() -> None:
    assert people.assign("i0", "ben", by="ana", minute=3) == Entry("i0", 3, "ana", "assigned", "to ben")
    assert people.assign("i0", None, by="ana", minute=3).why == "to nobody"
    assert people.comment("i0", Person("ana", "it is the payment service"), 3).why == "it is the payment service"


def test_every_change_is_an_entry_with_who_when_why_and_the_numbers() -> None:
    runs = [Run(10, False, range(300)), Run(71, False, [0]), Run(70, False, range(30))]
    opened, worsened, resolved, restored = play(State("error_spike", 10), runs, ids()).timeline[:4]
    assert opened == Entry("i0", 10, "engine", "opened", "errors spike", {"observed": 30, "usual": 0.0, "minutes": 5})
    assert (worsened.what, worsened.numbers["observed"]) == ("worsened", 300)
    assert (resolved.what, resolved.minute, resolved.numbers) == ("resolved", 70, {"event_count": 300, "peak": 300})
    assert restored.numbers["observed"] >= 30
    assert all(entry.why and entry.who == "engine" for entry in (opened, worsened, resolved, restored))


def test_of_a_drop_the_worst_is_the_least() -> None:
    signups = State("signup_drop", 99, 99, values=dict.fromkeys(range(20, 100), 4))
    played = tick(signups, 130, ids())
    (incident,) = played.opened
    assert (incident.observed, incident.peak, incident.severity) == (8, 0, "critical")
    assert [entry.what for entry in played.timeline] == ["opened", "worsened"]
    assert {entry.who for entry in played.timeline} == {"clock"}


def test_a_second_tick_finds_nothing_to_do() -> None:
    signups = State("signup_drop", 99, 99, values=dict.fromkeys(range(20, 100), 4))
    first = tick(signups, 130, ids())
    again = tick(replace(signups, judged=first.judged, incident=first.incident), 130, ids())
    assert (again.updated, again.opened, again.timeline, again.judged) == (None, [], [], 130)


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        (
            {"route": "/checkout", "error_code": "UPSTREAM_TIMEOUT"},
            "Errors spike on /checkout: UPSTREAM_TIMEOUT (prod)",
        ),
        ({"route": "/checkout"}, "Errors spike on /checkout (prod)"),
        ({"error_code": "E42"}, "Errors spike: E42 (prod)"),
        ({"message": "cannot reach\n<host>"}, "Errors spike: cannot reach <host> (prod)"),
        ({"route": "/r", "message": "not needed"}, "Errors spike on /r (prod)"),
        ({"error_code": "x" * 121}, f"Errors spike: {'x' * 119}… (prod)"),
        ({}, "Errors spike (prod)"),
    ],
)
def test_a_title_says_what_fails_and_where(parts: dict[str, str], expected: str) -> None:
    assert title("error_spike", "prod", **parts) == expected


def test_the_title_of_a_drop_needs_only_its_environment() -> None:
    assert title("signup_drop", "staging") == "Signups dry up (staging)"


def test_series_time_goes_on_from_the_newest_event_and_never_past_now() -> None:
    minute = clock.minute_of(NOON)
    later = NOON + timedelta(minutes=7)
    assert clock.series_minute(NOON, NOON, later) == minute + 7
    # replayed an hour later: as if it came when it happened
    assert clock.series_minute(NOON - timedelta(hours=1), NOON, later) == minute - 53
    # a clock that goes ahead is believed up to now
    assert clock.series_minute(NOON + timedelta(minutes=5), NOON, later) == minute + 7
    assert clock.complete_before(NOON, NOON, later) == minute + 5


def test_series_time_of_the_first_and_the_last_year_is_a_number_like_any_other() -> None:
    first, last = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
    assert clock.series_minute(first, NOON, NOON - timedelta(minutes=5)) == clock.minute_of(first) - 5
    assert clock.complete_before(first, NOON, NOON) == clock.minute_of(first) - 2
    assert clock.series_minute(last, NOON, NOON) == clock.minute_of(NOON)
    assert clock.time_of(clock.minute_of(NOON)) == NOON


def test_a_newest_event_more_than_a_quarter_of_an_hour_late_is_no_live_series() -> None:
    assert not clock.came_late(NOON - timedelta(minutes=15), NOON)
    assert clock.came_late(NOON - timedelta(minutes=15, seconds=1), NOON)


def test_silence_is_looked_for_while_a_minute_could_hold_or_a_drop_goes_on() -> None:
    assert not clock.may_be_silent(State("signup_drop"))
    assert not clock.may_be_silent(State("error_spike", 10, None))
    assert clock.may_be_silent(State("signup_drop", 100, 174))
    assert not clock.may_be_silent(State("signup_drop", 100, 175))
    drop = replace(burst(), rule="signup_drop")
    assert clock.may_be_silent(State("signup_drop", 100, 9000, drop))
    assert not clock.may_be_silent(State("signup_drop", 100, 9000, replace(drop, status="resolved")))
