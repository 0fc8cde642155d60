"""A figure knows whether it is reached, two commits are compared, and the page says what its data says."""

import pytest

from local.bench import compare, record, report, run, table
from local.bench.figure import NONE, Figure, readable
from local.bench.sampler import REST, Place, sampled


@pytest.mark.parametrize(
    ("figure", "ratio", "reached"),
    [
        (Figure(what="a rate", value=100, unit="/s", target=100), None, True),
        (Figure(what="a rate", value=99, unit="/s", target=100), None, False),
        (Figure(what="a time", value=5, unit="ms", target=5, most=True), None, True),
        (Figure(what="a time", value=6, unit="ms", target=5, most=True), None, False),
        (Figure(what="a ratio", value=400, unit="/s", baseline=100, times=4), 4.0, True),
        (Figure(what="a ratio of times", value=2, unit="ms", baseline=8, times=5, most=True), 4.0, False),
        (Figure(what="one of two", value=400, unit="/s", target=500, baseline=100, times=4), 4.0, False),
        (Figure(what="the other of two", value=500, unit="/s", target=500, baseline=200, times=4), 2.5, False),
        (Figure(what="nothing is promised", value=1, unit="GB"), None, True),
        (Figure(what="its baseline was not measured", value=1, unit="/s", times=2), None, False),
    ],
)
def test_a_figure_is_reached_when_all_that_is_asked_of_it_holds(
    figure: Figure, ratio: float | None, reached: bool
) -> None:
    assert (figure.ratio, figure.reached) == (ratio, reached)


@pytest.mark.parametrize(
    ("figure", "said"),
    [
        (
            Figure(what="a time", value=9, unit="ms", target=5, most=True, slower=2),
            "reached, were the machine as quick",
        ),
        (Figure(what="a rate", value=60, unit="events/s", target=100, slower=2), "reached, were the machine as quick"),
        (Figure(what="a time", value=11, unit="ms", target=5, most=True, slower=2), "NOT REACHED"),
        (Figure(what="a weight", value=9, unit="kB", target=5, most=True, slower=2), "NOT REACHED"),
        (Figure(what="a ratio", value=300, unit="events/s", baseline=100, times=4, slower=2), "NOT REACHED"),
        (Figure(what="a time", value=4, unit="ms", target=5, most=True, slower=2), "reached"),
    ],
)
def test_only_what_takes_time_is_forgiven_to_a_slower_machine(figure: Figure, said: str) -> None:
    assert table.verdict(figure) == said


def test_a_figure_that_is_not_reached_must_be_explained() -> None:
    missed = Figure(what="a rate", value=1, unit="/s", target=2, bench="engine")
    why = {"engine: a rate": "the disk"}
    assert run.unexplained(missed, {})
    assert not run.unexplained(missed, why)
    assert "because the disk" in table.line(missed, why)[-1]


def test_a_newer_figure_stands_for_the_older_of_its_name_and_benches_stay_together() -> None:
    old = [Figure(what=what, value=1, unit="", bench=bench) for bench, what in (("a", "x"), ("b", "x"), ("a", "y"))]
    new = [Figure(what="x", value=2, unit="", bench="a"), Figure(what="z", value=2, unit="", bench="a")]
    found = [(one.bench, one.what, one.value) for one in record.merged(old, new)]
    assert found == [("a", "x", 2), ("a", "y", 1), ("a", "z", 2), ("b", "x", 1)]


@pytest.mark.parametrize(
    ("change", "most", "said"),
    [(1.2, False, "better"), (0.8, False, "WORSE"), (1.2, True, "WORSE"), (0.8, True, "better"), (1.05, True, "")],
)
def test_a_change_is_better_or_worse_by_what_the_figure_wants(change: float, most: bool, said: str) -> None:
    assert compare.judged(change, most=most) == said


def test_where_both_have_a_baseline_their_ratios_are_compared() -> None:
    slow = Figure(what="a rate", value=100, unit="/s", baseline=10)
    fast = Figure(what="a rate", value=200, unit="/s", baseline=40)  # on a faster machine, and worse
    assert "0.50 x  WORSE" in compare.compared("a rate", slow, fast)
    assert "2.00 x  better" in compare.compared(
        "a rate", Figure(what="", value=1, unit=""), Figure(what="", value=2, unit="")
    )
    assert compare.compared("a rate", None, fast).endswith(NONE)


@pytest.mark.parametrize(
    ("number", "text"), [(1234.5, "1,234"), (123.4, "123"), (12.34, "12.3"), (1.234, "1.23"), (0.0567, "0.06")]
)
def test_numbers_are_shown_with_the_digits_that_count(number: float, text: str) -> None:
    assert readable(number) == text


def test_time_counts_for_the_innermost_known_file() -> None:
    def work() -> None:
        for _ in range(300_000):
            readable(1.0)

    shares = sampled(work, [Place("formatting", ("bench/figure.py",)), Place("asking", ("test_performance.py",))])
    assert set(shares) <= {"formatting", "asking", REST}
    assert shares["formatting"] > 0


def test_the_performance_page_says_what_its_data_says() -> None:
    whole, text = record.read(report.DATA), report.PAGE.read_text()
    again = "run `python -m local.bench.report docs/performance.json`"
    assert report.page(text, whole, record.whys()) == text, again
    for name, picture in report.pictures(whole.figures).items():
        assert (report.PICTURES / name).read_text() == picture, again


def test_a_reason_is_given_for_figures_there_are() -> None:
    names = {one.name for one in record.read(report.DATA).figures}
    assert set(record.whys()) <= names
