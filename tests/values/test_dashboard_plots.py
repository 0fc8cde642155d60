"""Plots as values: scales, ticks, paths, markers and the sentences their points say."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from random import Random
from zoneinfo import ZoneInfo

import pytest

from common.detection.readings import Reading, readings
from common.detection.rules import DROP, MINUTES, SPIKE, Finding, Rule, Window, error_spike, signup_drop
from common.detection.series import Dense
from common.incidents.clock import minute_of, time_of
from common.incidents.incident import Incident
from functions.dashboard.course import own_of
from functions.dashboard.plots import paths
from functions.dashboard.plots.day import BINS, day
from functions.dashboard.plots.incident import HEIGHT, Plot, plot
from functions.dashboard.plots.points import MOST, Range
from functions.dashboard.plots.scale import Rise, rise, ticks
from functions.dashboard.plots.spark import spark
from functions.dashboard.times import Clock

NOW = datetime(2026, 11, 21, 3, 12, 20, tzinfo=UTC)
CLOCK = Clock(NOW)
OPENED = minute_of(NOW) - 19
FIRST, END = OPENED - 70, minute_of(NOW)


def spike() -> tuple[Incident, list[Reading]]:
    """Four errors each five minutes, then 40 a minute from the opening on."""
    one = Incident("i", SPIKE, OPENED, END - 1, "error", 40, 48, 200, 800, END - 1)
    known = {minute: 1 for minute in range(FIRST - 80, OPENED) if minute % 5} | dict.fromkeys(range(OPENED, END), 40)
    return one, readings(SPIKE, known, FIRST - 5, END - 1, own_of(one))


def drawn() -> Plot:
    one, known = spike()
    return plot(one, CLOCK, Range(FIRST, END), known, [(time_of(OPENED) - timedelta(minutes=5), "v2.14.0")])


@pytest.mark.parametrize("maximum", [0, 1, 2, 3, 7, 9.9, 42, 188, 199, 481, 999, 1_234, 12_000, 999_999])
def test_y_has_three_to_six_lines_from_zero_and_room_above(maximum: float) -> None:
    scale = rise(maximum, HEIGHT)
    assert 3 <= len(scale.lines) <= 6
    assert scale.lines[0] == (str(HEIGHT), "0")
    assert scale.top >= maximum * 1.06
    assert float(scale.lines[-1][0]) == 0
    assert str(scale.step).rstrip("0") in ("1", "2", "25", "5")


def test_what_is_over_the_top_is_clipped() -> None:
    assert Rise(50, 200, HEIGHT).y(5_000) == "0"


@pytest.mark.parametrize(("minutes", "every"), [(90, 15), (120, 15), (180, 30), (600, 60), (1_440, 180)])
def test_ticks_stand_at_round_times(minutes: int, every: int) -> None:
    found = ticks(CLOCK, END - minutes, END)
    times = [int(tick.label[:2]) * 60 + int(tick.label[3:5]) for tick in found]
    assert all(time % every == 0 for time in times)
    assert len(found) >= 4
    assert [tick.optional for tick in found] == [n % 2 == 1 for n in range(len(found))]


def test_the_date_stands_under_the_first_tick_and_at_midnight() -> None:
    found = {tick.label: tick.date for tick in ticks(CLOCK, END - 300, END)}
    assert {label: date for label, date in found.items() if date} == {"23:00": "20 Nov", "00:00": "21 Nov"}


def test_ticks_are_round_in_the_readers_zone() -> None:
    found = ticks(Clock(NOW, ZoneInfo("Asia/Kathmandu")), END - 300, END)
    assert {tick.label[3:] for tick in found} == {"00"}


def test_across_a_change_of_the_clock_labels_say_their_offset() -> None:
    change = minute_of(datetime(2026, 10, 25, 1, 0, tzinfo=UTC))
    found = ticks(Clock(NOW, ZoneInfo("Europe/Paris")), change - 150, change + 150)
    assert {tick.label for tick in found} >= {"02:00 UTC+2", "02:00 UTC+1"}  # the hour that comes twice


def test_the_line_crosses_the_threshold_at_the_opening_mark() -> None:
    shown = drawn()
    [opening] = [mark for mark in shown.markers if mark.kind == "opened"]
    assert opening.x == "70"
    assert shown.curve.held.startswith("M70 ")
    _, known = spike()
    at = {reading.minute: reading for reading in known}
    assert not at[OPENED - 1].holds
    assert at[OPENED].holds


def test_after_the_opening_the_threshold_is_never_above_the_one_it_opened_with() -> None:
    """An incident does not become its own usual."""
    _, known = spike()
    assert {one.threshold for one in known if one.minute >= OPENED} == {30}


def test_a_flood_that_goes_on_still_holds_against_the_usual_it_opened_with() -> None:
    counts = dict.fromkeys(range(OPENED, OPENED + 200), 100)
    one = Incident("i", SPIKE, OPENED, OPENED + 150, "error", 100, 48, 500, 20_000, None)
    late = OPENED + 150
    [own], [moving] = (readings(SPIKE, counts, late, late, rule) for rule in (own_of(one), None))
    assert (own.holds, own.threshold) == (True, 30)
    assert (moving.holds, moving.threshold) == (False, 1_500)


def test_the_band_is_the_hour_before_the_window() -> None:
    assert drawn().band.words == "usual, 4 to 4"


def test_each_point_says_its_window_its_sum_and_its_threshold() -> None:
    shown = drawn()
    assert shown.points[-1].sentence == "03:07 to 03:11: 200 errors in 5 minutes, alerts from 30"
    assert shown.curve.dot == ("100.00%", shown.curve.dot[1] if shown.curve.dot else "", "200")
    assert len(shown.points) == END - FIRST


def test_the_minute_in_progress_and_what_is_not_counted_are_not_zero() -> None:
    one, known = spike()
    late = plot(one, CLOCK, Range(FIRST, END), known[:60], [])
    assert late.points[-1].x == 54
    assert late.axes.empty[-1][1] == "not counted yet"
    assert f"H{late.width}" not in late.curve.line


def test_before_the_first_event_of_a_series_there_is_no_line() -> None:
    one, known = spike()
    shown = plot(one, CLOCK, Range(FIRST, END, FIRST + 30), known, [])
    assert shown.points[0].x == 30
    assert shown.axes.empty[0][1] == f"no events before {CLOCK.minute(time_of(FIRST + 30))}"


@pytest.mark.parametrize("hours", [1, 3, 10, 24, 72])
def test_a_page_has_at_most_180_points_each_the_worst_of_its_minutes(hours: int) -> None:
    first = END - hours * 60
    one = Incident("i", SPIKE, first + 70, END - 1, "error", 40, 48, 200, 800, END - 1)
    counts = dict.fromkeys(range(first - 80, END), 1) | {END - 7: 500}
    known = readings(SPIKE, counts, first, END - 1, own_of(one))
    shown = plot(one, CLOCK, Range(first, END), known, [])
    assert len(shown.points) <= MOST
    assert len(shown.table) <= 60
    assert any("504 errors" in point.sentence for point in shown.points)
    assert max(int(row.observed.replace(",", "")) for row in shown.table) == 504


def test_a_drop_shows_what_is_missing() -> None:
    one = Incident("i", DROP, OPENED, END - 1, "critical", 8, 184, 0, 8, END - 1)
    counts = dict.fromkeys(range(FIRST - 80, OPENED - 12), 3)
    known = readings(DROP, counts, FIRST - 5, END - 1, own_of(one))
    shown = plot(one, CLOCK, Range(FIRST, END), known, [])
    mean = rise(46, HEIGHT).y(46)
    assert shown.curve.fill.count(f"V{mean}z") == 1
    assert shown.limit.words == "the rule alerts at 10 or fewer"
    assert shown.points[-1].sentence == "02:57 to 03:11: no signups in 15 minutes, alerts at 10 or fewer"


def test_paths_have_whole_x_and_one_decimal_of_y() -> None:
    shown = drawn()
    number = r"(?:\d+(?:\.\d)?)"
    for path in (shown.curve.line, shown.curve.held, shown.curve.fill, shown.limit.path):
        assert re.fullmatch(rf"(?:M\d+ {number}|H\d+|V{number}|z)+", path), path


def test_a_level_line_is_one_step() -> None:
    scale = Rise(50, 200, HEIGHT)
    assert paths.line(paths.steps([(0, 100, False), (1, 100, False), (2, 200, False)], scale)) == "M0 104H2V0H3"
    assert paths.line(paths.steps([(0, 100, False), (2, 100, False)], scale)) == "M0 104H1M2 104H3"  # a gap
    assert paths.line(paths.steps([(0, 100, False), (1, None, False), (2, 100, False)], scale)) == "M0 104H1M2 104H3"


def test_held_stretches_begin_where_the_line_was() -> None:
    scale = Rise(50, 200, HEIGHT)
    steps = paths.steps([(0, 0, False), (1, 100, True), (2, 200, True), (3, 0, False)], scale)
    assert paths.held(steps) == "M1 208V104H2V0H3"
    assert paths.fill(steps, scale.y(0)) == "M1 208V104H2V0H3V208z"
    level = paths.steps([(0, 100, False), (1, 100, True)], scale)
    assert paths.held(level) == "M1 104V104H2"


# Names in the gutter.
def names(*deploys: tuple[int, str], end: int = END, opened: int = OPENED) -> dict[str, str]:
    one = Incident("i", SPIKE, opened, end - 1, "error", 40, 48, 200, 800, end - 1)
    at = [(time_of(opened) + timedelta(minutes=minutes), name) for minutes, name in deploys]
    shown = plot(one, CLOCK, Range(opened - 70, end), [], at)
    return {mark.name: mark.more for mark in shown.markers if mark.name}


def test_a_deploy_is_named_to_the_left_of_its_line() -> None:
    assert names((-5, "v2.14.0")) == {"opened": " 02:53", "v2.14.0": " deployed 02:48"}


def test_a_fresh_incident_has_no_room_for_a_time() -> None:
    assert names((-5, "v2.14.0"), end=OPENED + 1) == {"opened": "", "v2.14.0": " deployed 02:48"}


def test_names_never_touch() -> None:
    """The nearest to the opening keeps its name."""
    assert set(names((-5, "v2.14.0"), (-7, "v2.13.9"))) == {"opened", "v2.14.0"}


def test_on_a_wide_screen_the_time_needs_room_too() -> None:
    """Short names would fit on a phone, where the time is left out."""
    assert set(names((-5, "a"), (-12, "b"))) == {"opened", "a"}


def test_of_many_deploys_one_is_named() -> None:
    assert set(names((-2, "a"), (-20, "b"), (-40, "c"), (-60, "d"))) == {"opened", "a"}


def test_a_deploy_without_a_release_has_a_line_and_no_name() -> None:
    assert set(names((-5, ""))) == {"opened"}


# Sparklines.
def test_a_sparkline_says_the_minutes_that_held_without_colour() -> None:
    _, known = spike()
    made = spark("Errors", "last hour", known[-60:], 0.8, [time_of(OPENED - 5)])
    assert made.label == "Errors per minute, last hour: from 0 to 40"
    assert made.under == "M41.5 31H60.5"
    assert made.held.count("M") == 19
    assert made.deploys == "M36.5 0V32"
    assert sum(map(len, made)) <= 900


def test_a_sparkline_of_nothing_is_empty() -> None:
    made = spark("Errors", "last hour", [], 0, [])
    assert (made.bars, made.held, made.under, made.usual) == ("", "", "", "")


# The day.
def test_the_highest_bar_bears_its_number_when_it_stands_out() -> None:
    made = day("error", CLOCK, END - 1_440, [10] * 95 + [481], [4] * BINS, {}, [])
    assert made.top is not None
    assert made.top[2] == "481"
    assert day("error", CLOCK, END - 1_440, [10] * 95 + [30], [4] * BINS, {}, []).top is None


@pytest.mark.parametrize(
    ("highest", "lines", "anchor"),
    [
        (48, [], "m"),
        (48, [46], "s"),  # a deploy to its left: the number begins at its bar
        (48, [51], "e"),
        (48, [46, 51], "e"),  # it gives way to both: its end stands before the first
        (48, [43, 46, 51, 54], "m"),  # no way around
        (95, [94], "e"),  # before the deploy that came before its bar
        (0, [], "s"),
        (95, [], "e"),
    ],
)
def test_the_number_keeps_within_the_plot_and_clear_of_deploys(highest: int, lines: list[int], anchor: str) -> None:
    today = [481 if place == highest else 10 for place in range(BINS)]
    deploys = [(time_of(END - 1_440 + 15 * line), "v1") for line in lines]
    made = day("error", CLOCK, END - 1_440, today, [4] * BINS, {}, deploys)
    assert made.top is not None
    assert made.top[3] == anchor


def test_bars_in_which_an_incident_was_open_have_its_colour() -> None:
    made = day("error", CLOCK, END - 1_440, [10] * BINS, [4] * BINS, {95: "critical"}, [])
    bars = dict(made.bars)
    assert bars["critical"].startswith("M95.1 ")
    assert bars[""].count("M") == 95


def test_yesterday_is_in_the_unit_of_the_bars() -> None:
    made = day("error", CLOCK, END - 1_440, [10] * BINS, [4] * BINS, {}, [])
    assert made.yesterday == f"M0 {rise(10, 132).y(4)}" + "".join(
        f"{'' if not hour else f'V{rise(10, 132).y(4)}'}H{4 * hour + 4}" for hour in range(24)
    )


def test_a_day_can_be_read_bar_by_bar_and_in_a_table_of_the_same_numbers() -> None:
    today, yesterday = [1_000 + place for place in range(BINS)], [place % 4 for place in range(BINS)]
    made = day("error", CLOCK, END - 1_440, today, yesterday, {}, [])
    edges = [CLOCK.minute(time_of(END - 1_440 + 15 * place)) for place in range(BINS + 1)]
    assert made.points[5] == f"{edges[5]} to {edges[6]}: 1,005 errors, 1 the day before"
    assert made.table[1] == (edges[4], ["1,004", "1,005", "1,006", "1,007", "6"])
    assert (len(made.points), len(made.table)) == (96, 24)


def test_a_quiet_day_is_no_error() -> None:
    made = day("signup", CLOCK, END - 1_440, [0] * BINS, [0] * BINS, {}, [])
    assert made.bars == []
    assert made.top is None


@pytest.mark.parametrize(("rule", "ask"), [(SPIKE, error_spike), (DROP, signup_drop)])
def test_a_reading_is_what_the_rule_itself_says(rule: Rule, ask: Callable[[Window], Finding | None]) -> None:
    """Minute by minute, over calm, floods and silence, against the moving usual and against the one it opened with."""
    random = Random(5)
    counts: dict[int, int] = {}
    for start in range(OPENED - 200, OPENED + 1_800, 40):
        level = random.choice([0, 0, 1, 4, 30, 200])
        counts |= {minute: random.randint(0, level) for minute in range(start, start + 40)}
    one = Incident("i", rule, OPENED, OPENED + 1_500, "error", 40, 180, 0, 0, None)
    summed, found = Dense(OPENED - 200, OPENED + 1_800, counts), set()
    for reading in readings(rule, counts, OPENED - 60, OPENED + 1_700, own_of(one)):
        before = reading.minute - MINUTES[rule]
        hour = summed.total(before - 59, before)
        window = Window(reading.minute, summed.total(before + 1, reading.minute), hour, one.own(reading.minute))
        assert (reading.observed, reading.holds) == (window.observed, ask(window) is not None), reading
        found.add(reading.holds)
    assert found == {True, False}


@pytest.mark.parametrize("rule", [SPIKE, DROP])
def test_a_reading_needs_the_hour_before_its_window(rule: Rule) -> None:
    """As the rule reads it: the window and the sixty minutes before it, nothing else."""
    span = MINUTES[rule] + 60
    inside = {OPENED - span + 1: 500}
    outside = {OPENED - span: 500}
    known = [readings(rule, rows, OPENED, OPENED)[0] for rows in (inside, outside)]
    assert known[0].threshold != known[1].threshold
