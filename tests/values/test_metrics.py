"""What is counted, and how it is written down."""

import pytest

from common import settings
from common.edge import scrape
from common.errors import Problem
from common.metrics import names, samples
from common.metrics.kinds import Counter, Gauge, Histogram
from local import reference


@pytest.fixture
def counter(monkeypatch: pytest.MonkeyPatch) -> Counter:
    one = Counter("signals_tries_total", "Tries.", ("here",), {"why": ("a", "b")})
    monkeypatch.setattr(names, "ALL", (one,))
    monkeypatch.setattr(names, "COUNTERS", (one,))
    monkeypatch.setattr(names, "HISTOGRAMS", ())
    return one


@pytest.fixture
def histogram(monkeypatch: pytest.MonkeyPatch) -> Histogram:
    one = Histogram("signals_wait_seconds", "Waits.", ("here",), bounds=(1.0, 5.0))
    monkeypatch.setattr(names, "ALL", (one,))
    monkeypatch.setattr(names, "COUNTERS", ())
    monkeypatch.setattr(names, "HISTOGRAMS", (one,))
    return one


def lines(page: str) -> list[str]:
    return [line for line in page.splitlines() if line and not line.startswith("#")]


def test_what_is_known_beforehand_begins_at_zero_where_it_is_counted(counter: Counter) -> None:
    counter.add(2, "b")
    assert lines(samples.page("here")) == ['signals_tries_total{why="a"} 0', 'signals_tries_total{why="b"} 2']
    assert lines(samples.page("elsewhere")) == ['signals_tries_total{why="b"} 2']


def test_a_label_cannot_break_out_of_its_quotes(counter: Counter) -> None:
    counter.add(1, 'a"\n\\')
    assert 'signals_tries_total{why="a\\"\\n\\\\"} 1' in lines(samples.page("elsewhere"))


def test_large_numbers_are_written_in_full(counter: Counter) -> None:
    counter.add(123_456_789, "a")
    assert 'signals_tries_total{why="a"} 123456789' in lines(samples.page("here"))


def test_buckets_hold_all_that_was_not_longer(histogram: Histogram) -> None:
    for seconds in (0.5, 1.0, 3.0, 60.0):
        histogram.observe(seconds)
    assert lines(samples.page("here")) == [
        'signals_wait_seconds_bucket{le="1.0"} 2',
        'signals_wait_seconds_bucket{le="5.0"} 3',
        'signals_wait_seconds_bucket{le="+Inf"} 4',
        "signals_wait_seconds_sum 64.500000",
        "signals_wait_seconds_count 4",
    ]


def test_what_was_added_is_said_once(histogram: Histogram) -> None:
    histogram.observe(3.0)
    histogram.observe(4.0)
    assert samples.added() == {"signals_wait_seconds_sum": 7.0, 'signals_wait_seconds_bucket{le="5.0"}': 2}
    assert samples.added() == {}
    histogram.observe(0.5)
    assert samples.added() == {"signals_wait_seconds_sum": 0.5, 'signals_wait_seconds_bucket{le="1.0"}': 1}


def test_gauges_are_as_they_were_found(monkeypatch: pytest.MonkeyPatch) -> None:
    gauge = Gauge("signals_lag", "Lag.", ("here",), {"station": ()})
    monkeypatch.setattr(names, "ALL", (gauge,))
    assert lines(samples.page("here", {gauge: {("indexer",): 7}})) == ['signals_lag{station="indexer"} 7']
    assert lines(samples.page("here")) == []


def test_every_metric_says_what_it_means_under_a_name_prometheus_likes() -> None:
    found = [one.name for one in names.ALL]
    assert len(found) == len(set(found))
    for one in names.ALL:
        assert one.name.startswith("signals_")
        assert one.meaning.endswith(".")
        assert one.name.endswith("_total") == isinstance(one, Counter), one.name
        assert not isinstance(one, Histogram) or one.name.endswith("_seconds")
        assert not one.labels.keys() & {"job", "instance", "part", "le"}, "Prometheus has labels of these names"


def test_the_reference_page_is_current() -> None:
    assert reference.METRICS.read_text() == reference.metrics(), "run `python -m local.reference`"


@pytest.mark.parametrize(
    ("headers", "on_loopback", "token", "code"),
    [
        ({}, True, "", ""),
        ({}, False, "", "not_found"),  # a public address without a token serves nothing
        ({"x-forwarded-for": "1.2.3.4"}, True, "", "not_found"),  # a proxy on this machine
        ({}, True, "t", "metrics_token"),  # with a token loopback is nothing special
        ({"authorization": "Bearer t"}, False, "t", ""),
        ({"authorization": "Bearer t\u00e9"}, False, "t", "metrics_token"),
    ],
)
def test_who_may_read_the_page(
    monkeypatch: pytest.MonkeyPatch, headers: dict[str, str], on_loopback: bool, token: str, code: str
) -> None:
    monkeypatch.setattr(settings, "current", lambda: settings.read({"METRICS_TOKEN": token}))
    try:
        scrape.admit(headers, on_loopback=on_loopback)
        said = ""
    except Problem as problem:
        said = problem.code
    assert said == code
