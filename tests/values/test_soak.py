"""What a soak does is decided by its seed, and its judge's expectations by a plain count."""

import pytest

from local.soak import schedule
from local.soak.judge import Total
from local.soak.schedule import KINDS, SECONDS, STORES
from local.soak.sender import Ledger

HOUR = 3600.0


@pytest.mark.parametrize("stack", STORES)
def test_a_seed_says_what_goes_wrong_and_when(stack: str) -> None:
    assert schedule.faults(stack, 7, HOUR) == schedule.faults(stack, 7, HOUR)
    assert schedule.faults(stack, 7, HOUR) != schedule.faults(stack, 8, HOUR)


@pytest.mark.parametrize("stack", STORES)
def test_each_kind_and_each_part_comes_before_any_comes_again(stack: str) -> None:
    found = schedule.faults(stack, 1, HOUR)
    lasting = [one for one in found if one.what != "kill"]
    kinds = len(KINDS) - 1
    assert {one.what for one in lasting[:kinds]} == KINDS.keys() - {"kill"}
    parts = {*schedule.FUNCTIONS, *STORES[stack]}
    assert {one.part for one in [one for one in found if one.what == "kill"][: len(parts)]} == parts
    assert {one.part for one in lasting if one.what == "full"} == {*STORES[stack], schedule.LOGS}


@pytest.mark.parametrize("stack", STORES)
def test_what_lasts_comes_one_after_the_other_and_ends_in_time(stack: str) -> None:
    lasting = [one for one in schedule.faults(stack, 3, HOUR) if one.what in SECONDS]
    ends = [one.at + one.seconds for one in lasting]
    assert all(end < other.at for end, other in zip(ends, lasting[1:], strict=False))
    assert ends[-1] <= HOUR


def test_only_the_kinds_that_are_asked_for_come() -> None:
    assert {one.what for one in schedule.faults("native", 1, HOUR, ["kill", "full"])} == {"kill", "full"}
    assert schedule.faults("native", 1, HOUR, ["kill"])


def test_each_part_is_killed_once() -> None:
    assert sorted(one.part for one in schedule.each_killed("native", 1)) == sorted(
        (*schedule.FUNCTIONS, *STORES["native"])
    )


def test_what_is_expected_is_counted_over_all_ledgers() -> None:
    one, other = Ledger(), Ledger()
    one.order = [("A", 5)] * 29 + [("B", 5)] * 30  # thirty open an incident, twenty-nine do not
    other.order = [("C", 5)] * 15 + [("C", 6)] * 16
    assert Total([one, other]).incidents() == [
        ["B", 5, 5, 30, 30, "error", 1, True],
        ["C", 6, 6, 31, 31, "error", 1, True],
    ]
