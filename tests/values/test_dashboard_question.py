"""What the search page's address asks, and the addresses it offers."""

from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.clients.postgres.tokens import Caller
from common.clients.search.language import Attribute, parse
from common.errors import Problem
from functions.dashboard.question import Asking, asking, term, with_term, written
from functions.dashboard.reader import Reader
from functions.dashboard.times import Clock

NOW = datetime(2026, 11, 21, 3, 12, 20, 5000, tzinfo=UTC)
HOUR = timedelta(hours=1)


def reader(zone: str = "UTC") -> Reader:
    caller = Caller("t", "acme", "Ana", "viewer")
    return Reader(caller=caller, now=NOW, zone=ZoneInfo(zone), theme="", keys=True, root="", here="/", csrf="")


def asked(query: str, zone: str = "UTC") -> Asking:
    return asking(dict(parse_qsl(query)), reader(zone))


def test_without_a_word_it_is_the_last_hour_with_the_second_that_runs() -> None:
    found = asked("")
    assert found.until == NOW.replace(microsecond=0) + timedelta(seconds=1)
    assert found.until - found.since == HOUR
    assert found.address() == "?"


@pytest.mark.parametrize(("name", "hours"), [("1h", 1), ("24h", 24), ("7d", 168), ("31d", 744)])
def test_a_range_ends_now(name: str, hours: int) -> None:
    assert asked(f"range={name}").until - asked(f"range={name}").since == timedelta(hours=hours)


def test_times_of_a_form_are_in_the_readers_zone() -> None:
    found = asked("range=&from=2026-11-21T03:00&to=2026-11-21T03:10", "Europe/Paris")
    assert written(found.since) == "2026-11-21T02:00:00Z"
    assert found.between
    assert asking(dict(parse_qsl(found.address()[1:])), reader()) == found._replace(range="1h")  # whoever it is sent to


def test_a_chosen_range_wins_over_times_left_in_the_form() -> None:
    assert asked("range=24h&from=2026-11-21T03:00").until - asked("range=24h&from=2026-11-21T03:00").since == 24 * HOUR


@pytest.mark.parametrize(
    ("query", "between"),
    [
        ("was=1h&range=1h", True),  # times were typed, the range was not touched
        ("was=24h&range=24h", True),
        ("was=24h&range=", True),
        ("was=between&range=", True),
        ("range=1h", True),
        ("was=between&range=1h", False),  # the range was chosen, the times are still there
        ("was=1h&range=24h", False),
    ],
)
def test_what_was_changed_in_the_form_wins(query: str, between: bool) -> None:
    found = asked(f"{query}&from=2026-11-21T02:00&to=2026-11-21T02:20")
    assert found.between is between
    assert (written(found.since) == "2026-11-21T02:00:00Z") is between


@pytest.mark.parametrize(
    "query",
    [
        "from=yesterday",
        "from=2026-11-21T03:00&to=2026-11-21T03:00",
        "from=2026-01-01T00:00&to=2026-02-02T00:00",  # more than 31 days
        "from=0001-01-01T00:00",
        "to=9999-12-31T23:59",
        "from=2026-11-21T25:00",
    ],
)
def test_what_is_no_stretch_of_time_is_said(query: str) -> None:
    with pytest.raises(Problem):
        asked(query)


def test_a_later_page_ends_where_the_first_began_and_counts_what_came_since() -> None:
    found = asked("range=24h&at=2026-11-21T03:00:00Z")
    assert written(found.until) == "2026-11-21T03:00:00Z"
    assert (found.newer("acme", NOW).since or 0) == 1_795_230_000_000


@given(st.text(min_size=1, max_size=30), st.text(min_size=1, max_size=60))
def test_a_term_finds_what_it_was_made_of(name: str, value: str) -> None:
    name, value = name.replace("\0", ""), value.replace("\0", "")
    if not name or not value or name in ("event_type", "severity", "environment", "event_id"):
        return
    for sign, wanted in (("", True), ("-", False)):
        said = sign + term(name, value)
        assert parse(said) == (Attribute(name, value, wanted),)


def test_a_term_is_short_where_it_can_be() -> None:
    assert term("route", "/checkout") == "route:/checkout"
    assert term("route", "/a b") == 'route:"/a b"'


def test_saying_a_term_twice_changes_nothing() -> None:
    assert with_term("timeout", "route:/a") == "timeout route:/a"
    assert with_term("timeout route:/a", "route:/a") == "timeout route:/a"
    assert with_term("", "-route:/a") == "-route:/a"


@pytest.mark.parametrize(
    "query", ["", "q=route:%22/a%20b%22&env=prod&range=24h", "from=2026-11-20T00:00&to=2026-11-20T00:01"]
)
def test_the_parts_of_its_time_follow_each_other_and_each_leads_to_the_same_question(query: str) -> None:
    whole, until = asked(query), None
    for since, end, address in whole.parts(60):
        part = asked(address.removeprefix("?"))
        assert (part.since, part.until, part.between) == (since, end, True)
        assert (part.q, part.env) == (whole.q, whole.env)
        assert since == (until or whole.since)
        until = end
    assert until == whole.until


@pytest.mark.parametrize(
    ("began", "ended", "said"),  # hours ago
    [
        (2, 1, "01:12:20 to 02:12:20"),
        (26, 25, "20 Nov 01:12:20 to 02:12:20"),  # one day, said once
        (4, 2, "20 Nov 23:12:20 to 01:12:20"),  # from yesterday into today
    ],
)
def test_a_stretch_of_time_names_each_day_that_is_not_today(began: int, ended: int, said: str) -> None:
    assert Clock(NOW).stretch(NOW - timedelta(hours=began), NOW - timedelta(hours=ended)) == said
