"""The player against the table of cases and against the reference, however the events are cut into batches."""

from collections.abc import Callable
from itertools import accumulate, combinations, count, groupby, pairwise
from random import Random

import pytest

from common.incidents import play as player
from common.incidents.state import Run, State
from tests import histories
from tests.cases import Case, Step, cases
from tests.histories import Cut, at_once, at_random, one_by_one
from tests.shelf import Shelf

pytestmark = pytest.mark.many

CASES = cases()
BY_SERIES = [
    pytest.param(case, [step for step in case.steps if step.series == series], id=f"{case.number}{series}")
    for case in CASES
    for series in sorted({step.series for step in case.steps})
]
LONG = 10_000  # events, which one by one take seconds: three cases
FEW, SHORT = 7, 150  # runs of one minute, and events: so small that every split can be tried


def at(*places: int) -> Cut:
    """Cut before these events, counted over all batches."""

    def cut(steps: list[Step]) -> list[list[Step]]:
        ends = [0, *(place for place in places if 0 < place < len(steps)), len(steps)]
        return [steps[one:two] for one, two in pairwise(ends)]

    return cut


def splits(steps: list[Step]) -> list[Cut]:
    """In two between any two events, and in every way between runs of one minute."""
    runs = [len(list(group)) for _, group in groupby(steps)]
    borders = list(accumulate(runs))[:-1] if len(runs) <= FEW else []
    every = [chosen for some in range(len(borders) + 1) for chosen in combinations(borders, some)]
    return [at(place) for place in range(1, len(steps) if len(steps) <= SHORT else 0)] + [
        at(*places) for places in every
    ]


def test_there_are_sixty_six_cases() -> None:
    assert [case.number for case in CASES] == list(range(1, 67))


@pytest.mark.parametrize(("case", "steps"), BY_SERIES)
def test_the_reference_gives_the_incidents_of_each_case(case: Case, steps: list[Step]) -> None:
    reference = histories.refer(case.kind, steps)
    assert [outcome for outcome, _ in histories.expected(reference)] == case.incidents


@pytest.mark.parametrize(("case", "steps"), BY_SERIES)
def test_the_player_gives_the_incidents_of_each_case_in_every_cutting(case: Case, steps: list[Step]) -> None:
    cuts = [at_once, at_random(Random(1)), at_random(Random(2)), one_by_one, *splits(steps)]
    for cut in cuts[:2] if len(steps) > LONG else cuts:
        shelf = histories.play(Shelf(case.kind), steps, cut)
        assert shelf.outcomes() == case.incidents
        assert shelf.jobs == len(case.incidents)


@pytest.mark.parametrize("seeds", [range(first, first + 12) for first in range(0, 36, 12)], ids=lambda seeds: seeds[0])
def test_random_histories_are_as_the_reference_says_and_equal_in_every_cutting(seeds: range) -> None:
    assert {seed: found for seed in seeds if (found := histories.check(seed))} == {}


def test_histories_made_for_one_fault_each_are_as_the_reference_says() -> None:
    assert histories.check_directed() == []


def errors(minute: int, number: int, name: str = "") -> Run:
    return Run(minute, False, [f"{name}{minute}.{event}" for event in range(number)])


def test_the_first_fifty_events_are_kept_and_the_newest_of_each_minute_from_the_opening_one_on() -> None:
    played = player.play(State("error_spike"), [errors(10, 40), errors(11, 60), errors(12, 3)], _ids())
    kept = {kept.slot: kept.event for kept in played.kept}
    # the thirtieth of minute 10 opens; eleven of it and 39 of minute 11 are the first fifty
    assert [kept[slot] for slot in (0, 10, 11, 49)] == ["10.29", "10.39", "11.0", "11.38"]
    assert {slot: event for slot, event in kept.items() if slot >= 50} == {61: "11.59", 62: "12.2"}


def test_a_late_event_does_not_take_the_place_of_a_later_minute() -> None:
    played = player.play(State("error_spike"), [errors(10, 90), errors(60, 1), errors(10, 1, "late")], _ids())
    assert {kept.slot: kept.event for kept in played.kept if kept.slot >= 50} == {60: "60.0"}


def test_the_series_keeps_the_event_that_first_reached_its_newest_minute() -> None:
    runs = [errors(10, 2), errors(9, 1), errors(11, 2), errors(11, 1, "again")]
    assert player.play(State("error_spike"), runs, _ids()).reached == "11.0"
    assert player.play(State("error_spike", newest=11), runs, _ids()).reached is None


def test_an_incident_without_rows_still_counts_its_events_and_is_over_in_time() -> None:
    opened = player.play(State("error_spike"), [errors(10, 30)], _ids()).opened[0]
    state = State("error_spike", 10, None, opened, values=None)
    played = player.play(state, [errors(70, 2), errors(71, 1), errors(69, 1)], _ids())
    assert played.updated is not None
    assert (played.updated.event_count, played.updated.status, played.updated.resolved_at) == (33, "resolved", 70)


def test_a_silence_of_two_thousand_years_is_judged_at_once() -> None:
    year_one, today = -1_035_594_720, 29_000_000
    runs = [Run(year_one, False, range(1000)), Run(today, False, [0])]
    played = player.play(State("signup_drop"), runs, _ids())
    assert played.judged == today
    (incident,) = played.opened
    assert (incident.opened_at, incident.last_seen_at) == (year_one + 15, year_one + 15 + 1440)


def test_a_tick_of_a_series_without_events_changes_nothing() -> None:
    played = player.tick(State("signup_drop"), 100, _ids())
    assert (played.newest, played.judged, played.opened, played.timeline) == (None, None, [], [])


def _ids() -> Callable[[], str]:
    numbers = count()
    return lambda: f"i{next(numbers)}"
