"""The two rules, asked about one window, and the counts the windows are added up from."""

import pytest

from common.detection.rules import Finding, Window, critical_from, error_spike, signup_drop, spike_from, usual
from common.detection.series import DENSE_MINUTES, Counts, Dense, Scattered, counts_of


@pytest.mark.parametrize(
    ("observed", "hour", "own", "found"),
    [
        (29, 0, None, False),  # 29 are not enough
        (30, 0, None, True),  # 30 are
        (30, 120, None, True),  # exactly three times the usual ten
        (30, 121, None, False),  # a little less: no rounding helps it
        (31, 121, None, True),
        (74, 300, None, False),
        (75, 300, None, True),
        (30, 6000, 0, True),  # in the day of an incident that opened with nothing
        (30, 6000, 121, False),
        (30, 0, 6000, True),  # the smaller of the two counts
    ],
)
def test_errors_spike_from_thirty_and_three_times_the_usual(
    observed: int, hour: int, own: int | None, found: bool
) -> None:
    assert bool(error_spike(Window(7, observed, hour, own))) is found


@pytest.mark.parametrize(
    ("observed", "hour", "own", "critical"),
    [
        (299, 0, None, False),
        (300, 0, None, True),
        (300, 360, None, True),  # exactly ten times the usual thirty
        (300, 361, None, False),
        (301, 361, None, True),
        (300, 6000, 360, True),  # ten times the smaller of the two
        (300, 6000, 361, False),
    ],
)
def test_a_spike_is_critical_from_three_hundred_and_ten_times_the_usual(
    observed: int, hour: int, own: int | None, critical: bool
) -> None:
    finding = error_spike(Window(7, observed, hour, own))
    assert finding is not None
    assert finding.critical is critical


@pytest.mark.parametrize(
    ("observed", "hour", "own", "found"),
    [
        (10, 160, None, True),  # ten left of a usual forty
        (11, 160, None, False),
        (10, 159, None, False),  # a usual of 39.75
        (0, 0, None, False),
        (10, 0, 160, True),  # the hour is empty by now, the incident opened with forty
        (10, 0, 159, False),
        (11, 0, 1000, False),
    ],
)
def test_signups_drop_to_ten_where_forty_are_usual(observed: int, hour: int, own: int | None, found: bool) -> None:
    assert bool(signup_drop(Window(7, observed, hour, own))) is found


def test_no_signups_at_all_is_critical() -> None:
    some, none = signup_drop(Window(7, 1, 160)), signup_drop(Window(7, 0, 160))
    assert some == Finding("signup_drop", 7, 1, 160, critical=False)
    assert none == Finding("signup_drop", 7, 0, 160, critical=True)


def test_a_finding_carries_the_numbers_that_decided() -> None:
    finding = error_spike(Window(64, 90, 120, 12))
    assert finding == Finding("error_spike", 64, 90, 120, critical=False)
    assert (finding.first, usual(finding.rule, finding.hour)) == (60, 10.0)


@pytest.mark.parametrize("hour", [*range(0, 2000, 7), 10**9])
def test_the_thresholds_are_the_first_sums_that_hold(hour: int) -> None:
    for threshold, least, factor in ((spike_from(hour), 30, 3), (critical_from(hour), 300, 10)):
        holds = [seen >= least and 12 * seen >= factor * max(12, hour) for seen in (threshold - 1, threshold)]
        assert holds == [False, True]


ROWS = {-3: 5, 0: 2, 7: 1, 60: 9}


@pytest.mark.parametrize("counts", [Dense(-3, 60, ROWS), Scattered(ROWS)], ids=["dense", "scattered"])
def test_both_kinds_of_counts_answer_alike(counts: Counts) -> None:
    counts.add(7, 3)
    assert (counts.at(7), counts.at(8), counts.at(-100), counts.at(100)) == (4, 0, 0, 0)
    assert (counts.total(-100, 100), counts.total(-2, 7), counts.total(61, 90), counts.total(-90, -4)) == (20, 6, 0, 0)
    assert (counts.newest(-9, 59), counts.newest(-9, 99), counts.newest(1, 6), counts.newest(90, 99)) == (
        7,
        60,
        None,
        None,
    )
    assert (counts.newest(-90, -4), counts.newest(-3, -3)) == (None, -3)


def test_an_event_of_the_year_one_beside_one_of_today_makes_no_long_list() -> None:
    assert isinstance(counts_of({0: 1}, [DENSE_MINUTES]), Dense)
    assert isinstance(counts_of({-1_035_594_720: 1}, [29_000_000]), Scattered)
