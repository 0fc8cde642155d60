"""Numbers, durations, times and sentences as the dashboard says them."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from msgspec.structs import replace

from common.clients.postgres.incidents import Standing
from common.clients.postgres.overview import Bar, Opened, Overview, Resolved
from common.detection.readings import Reading, readings
from common.detection.rules import DROP, SPIKE, Rule
from common.incidents.clock import time_of
from common.incidents.incident import Incident
from functions.dashboard import sentences, times, verdict, words
from functions.dashboard.kept import Kept
from functions.dashboard.pages.overview import open_in
from functions.dashboard.times import Clock

PARIS, KATHMANDU = ZoneInfo("Europe/Paris"), ZoneInfo("Asia/Kathmandu")
NOW = datetime(2026, 11, 21, 3, 12, 20, tzinfo=UTC)
OPENED = (NOW - timedelta(minutes=19)).replace(second=0)


@pytest.mark.parametrize(
    ("number", "said"),
    [
        (142, "142 errors"),
        (1, "1 error"),
        (0, "no errors"),
        (999_999, "999,999 errors"),
        (1_240_000, "1,240,000 errors"),
    ],
)
def test_a_count_bears_its_noun(number: int, said: str) -> None:
    assert words.counted(number, "error") == said


@pytest.mark.parametrize(
    ("number", "figure", "short"),
    [
        (0, "0", "0"),
        (9_999, "9,999", "9,999"),
        (10_000, "10,000", "10k"),  # columns and axes have little room
        (12_540, "12,540", "12.5k"),
        (125_400, "125,400", "125k"),
        (999_999, "999,999", "1M"),
        (1_240_000, "1.24 M", "1.2M"),
        (2_000_000_000, "2,000 M", "2000M"),
    ],
)
def test_large_numbers(number: int, figure: str, short: str) -> None:
    assert (words.figure(number), words.short(number)) == (figure, short)


@pytest.mark.parametrize(
    ("usual", "said"),
    [(0, "usually none"), (0.49, "usually none"), (0.5, "usually 1"), (2.5, "usually 3"), (3.9, "usually 4")],
)
def test_the_usual_is_the_nearest_whole_number(usual: float, said: str) -> None:
    assert words.usually(usual) == said


@pytest.mark.parametrize(
    ("seconds", "short", "spelled"),
    [
        (-3, "0 s", "0 seconds"),
        (0, "0 s", "0 seconds"),
        (1, "1 s", "1 second"),
        (45, "45 s", "45 seconds"),
        (60, "1 min", "1 minute"),
        (1_199, "19 min", "19 minutes"),
        (3_600, "1 h", "1 hour"),
        (3_840, "1 h 4 min", "1 hour"),
        (86_400 - 1, "23 h 59 min", "23 hours"),
        (86_400, "1 d", "1 day"),
        (2 * 86_400 + 3 * 3_600 + 59 * 60, "2 d 3 h", "2 days"),
        (2 * 86_400 + 59 * 60, "2 d", "2 days"),  # never more than two units, and never the third
    ],
)
def test_durations_have_two_units_at_most(seconds: int, short: str, spelled: str) -> None:
    span = timedelta(seconds=seconds)
    assert (words.duration(span), words.spelled(span)) == (short, spelled)


@pytest.mark.parametrize(("rule", "said"), [(SPIKE, "alerts from 30"), (DROP, "alerts at 30 or fewer")])
def test_a_threshold_says_its_side(rule: Rule, said: str) -> None:
    assert words.alerts(rule, 30) == said


def test_a_long_text_is_cut_and_says_so() -> None:
    assert words.cut("x" * 120) == "x" * 120
    assert words.cut("x" * 121) == "x" * 119 + "…"
    assert words.cut("the gateway gives up without retry", 30) == "the gateway gives up without…"
    assert words.cut("the gateway gives up without retry", 29) == "the gateway gives up without…"


@pytest.mark.parametrize(
    ("time", "said"),
    [
        (datetime(2026, 11, 21, 2, 53, tzinfo=UTC), "02:53"),
        (datetime(2026, 11, 20, 9, 14, tzinfo=UTC), "20 Nov 09:14"),
        (datetime(2025, 11, 20, 9, 14, tzinfo=UTC), "20 Nov 2025"),
        (datetime(1, 1, 1, 0, 0, tzinfo=UTC), "1 Jan 1"),
    ],
)
def test_absolute_times_say_no_more_than_they_must(time: datetime, said: str) -> None:
    assert Clock(NOW).absolute(time) == said


def test_a_day_is_the_readers_day() -> None:
    late = datetime(2026, 11, 20, 23, 30, tzinfo=UTC)
    assert Clock(NOW).absolute(late) == "20 Nov 23:30"
    assert Clock(NOW, PARIS).absolute(late) == "00:30"


@pytest.mark.parametrize(
    ("time", "said"),
    [
        (NOW - timedelta(minutes=19), "19 min ago"),
        (NOW + timedelta(seconds=14), "in 14 s"),
        (NOW - timedelta(days=7), "7 d ago"),
        (NOW - timedelta(days=7, seconds=1), ""),  # then the absolute time stands alone
    ],
)
def test_relative_times_end_after_a_week(time: datetime, said: str) -> None:
    assert Clock(NOW).relative(time) == said


def test_zones_are_named_with_their_offset() -> None:
    assert Clock(NOW).zone_name == "UTC"
    assert Clock(NOW, PARIS).zone_name == "Europe/Paris, UTC+1"
    assert Clock(NOW, KATHMANDU).offset(NOW) == "UTC+5:45"
    assert Clock(NOW, ZoneInfo("America/St_Johns")).offset(NOW) == "UTC-3:30"


def test_a_time_before_all_zones_is_told_in_utc() -> None:
    first = datetime(1, 1, 1, 0, 0, tzinfo=UTC)
    assert Clock(NOW, ZoneInfo("America/New_York")).minute(first) == "00:00"
    assert times.in_utc(first) == "0001-01-01 00:00:00 UTC"
    assert times.for_machines(first) == "0001-01-01T00:00:00Z"


# Sentences: an incident that opened 19 minutes ago with 34 errors, where the hour before had 48 (usually 4).
MINUTE = int(OPENED.timestamp()) // 60


def incident(rule: Rule = SPIKE, **fields: object) -> Incident:
    known = Incident("i", rule, MINUTE, MINUTE + 18, "error", 34, 48, 188, 610, MINUTE + 18)
    return replace(known, **fields)


def seen(*observed: int, last: int = MINUTE + 18, threshold: int = 30) -> list[Reading]:
    first = last - len(observed) + 1
    return [Reading(first + n, value, value, threshold, value >= threshold) for n, value in enumerate(observed)]


def said(one: Incident, known: list[Reading], band: tuple[int, int] | None = (0, 8), who: str = "") -> str:
    sentence = sentences.header(one, Clock(NOW), known, band, who)
    return sentence.number + sentence.rest


def test_it_is_happening_while_the_rule_holds_in_the_newest_counted_minute() -> None:
    assert said(incident(), seen(150, 142)) == "142 errors in 5 minutes, usually 4. Still happening."


def test_a_fresh_incident_says_what_it_opened_with() -> None:
    """Its minute is not over: the newest whole one is the minute before."""
    fresh = incident(opened_at=MINUTE, last_seen_at=MINUTE)
    assert said(fresh, seen(3, last=MINUTE - 1)) == "34 errors in 5 minutes, usually 4. Still happening."


def test_below_the_rule_it_says_since_when_and_when_it_resolves() -> None:
    one = incident(last_seen_at=MINUTE + 15)
    assert said(one, seen(142, 29, 25, 20)) == (
        "20 errors in 5 minutes, usually 4. Below the rule since 03:09; resolves by itself at 04:08."
    )


def test_inside_the_usual_band_it_is_back_to_usual() -> None:
    one = incident(last_seen_at=MINUTE + 15)
    assert said(one, seen(142, 20, 8, 5)) == (
        "5 errors in 5 minutes, usually 4. Back to usual since 03:10; resolves by itself at 04:08."
    )


def test_no_signups_is_a_sentence_too() -> None:
    known = [Reading(MINUTE + 18, 0, 0, 10, True)]
    one = incident(DROP, hour=184, peak=0)
    assert said(one, known) == "No signups in 15 minutes, usually 46. Still happening."


@pytest.mark.parametrize(
    ("by_person", "who", "by"),
    [(MINUTE + 42, "Ana Ruiz", "Ana Ruiz"), (None, "clock", "itself"), (None, "Ana", "itself")],
)
def test_resolved_it_says_its_worst_by_whom_and_after_how_long(by_person: int | None, who: str, by: str) -> None:
    one = incident(status="resolved", resolved_at=MINUTE + 42, by_person=by_person)
    assert said(one, [], who=who) == (f"188 errors in 5 minutes at its peak, usually 4. Resolved by {by} after 42 min.")


def test_resolved_after_a_day_it_says_that_the_level_is_still_high() -> None:
    one = incident(status="resolved", resolved_at=MINUTE + 1_500)
    expected = "Resolved by itself after a day, but errors are still high: 140 in 5 minutes, 4 before this began."
    assert said(one, seen(140, last=MINUTE + 1_501)) == expected
    assert sentences.row(one, [], seen(140, last=MINUTE + 1_501)[0]).rest == expected  # lists say it too
    assert "at its peak" in said(one, seen(12, last=MINUTE + 1_501))  # the level has come down
    assert "at its peak" in said(replace(one, resolved_at=MINUTE + 200), seen(140, last=MINUTE + 201))  # no day


def test_only_a_change_of_state_is_spoken() -> None:
    """A live region that spoke every number would never be silent."""
    clock = Clock(NOW)
    first, second = (sentences.header(incident(), clock, seen(142, n), None) for n in (150, 160))
    assert first.number != second.number
    assert first.spoken == second.spoken == "Still happening."


def test_the_title_of_the_tab_carries_the_number() -> None:
    assert sentences.title(incident(), seen(142), "Checkout times out") == "142 errors, usually 4: Checkout times out"


def test_a_row_says_the_same_number_as_the_header() -> None:
    header, row = sentences.header(incident(), Clock(NOW), seen(142), None), sentences.row(incident(), seen(142))
    assert (row.number, row.rest) == (header.number, ", usually 4")


def test_states_are_decided_from_the_rule_itself() -> None:
    """Thirty errors in one minute after an hour of four each five: held from then on for five minutes."""
    counts = dict.fromkeys(range(MINUTE - 65, MINUTE), 1) | {MINUTE: 30}
    known = readings(SPIKE, counts, MINUTE - 1, MINUTE + 5)
    assert [one.holds for one in known] == [False, True, True, True, True, True, False]
    assert {one.threshold for one in known} == {30}


# The first page.
def overview(**fields: object) -> Overview:
    known = Overview(MINUTE + 19, True, 0, 0, [], [], [], None, 0)
    return replace(known, **fields)


LAST = Resolved("i", "Signups fell", NOW - timedelta(days=1), datetime(2026, 11, 20, 10, 6, tzinfo=UTC))


@pytest.mark.parametrize(
    ("standing", "said", "rest"),
    [
        (Standing(3, 2, ""), "2 incidents need someone", "1 more is being investigated. Everything else is quiet."),
        (Standing(1, 1, ""), "1 incident needs someone", "Everything else is quiet."),
        (Standing(2, 0, ""), "2 incidents are being investigated", "Everything else is quiet."),
        (Standing(0, 0, ""), "All quiet", "No incident since 20 Nov 10:06, when “Signups fell” was resolved."),
    ],
)
def test_the_verdict(standing: Standing, said: str, rest: str) -> None:
    found = verdict.verdict(standing, overview(last_resolved=LAST), [], Clock(NOW), NOW)
    assert (found.words, " ".join(found.rest)) == (said, rest)


def test_a_new_organisation_is_told_to_send_something() -> None:
    found = verdict.verdict(Standing(0, 0, ""), overview(ever=False, newest=None), [], Clock(NOW), None)
    assert (found.kind, found.words) == ("new", "No event has arrived yet")


def test_a_bar_has_the_worst_severity_that_was_open_in_it() -> None:
    begins, opened = 29_900_000, time_of(29_900_000 + 20)
    mild = Opened("error_spike", "error", opened, opened + timedelta(minutes=40))
    seen = overview(open_in=[mild, replace(mild, severity="critical", until=opened), replace(mild, rule="signup_drop")])
    assert open_in(seen, "error_spike", begins) == {1: "critical", 2: "error", 3: "error", 4: "error"}
    lasting = replace(mild, opened_at=opened - timedelta(days=2), until=None)
    assert len(open_in(overview(open_in=[lasting]), "error_spike", begins)) == 96


def busy(a_minute: int) -> list[Bar]:
    return [Bar(place, 1, "http_request", a_minute * 15) for place in range(100, 192)]


def test_silence_that_is_no_chance_is_the_verdict() -> None:
    seen, last = overview(last_resolved=LAST), NOW - timedelta(minutes=14, seconds=20)
    found = verdict.verdict(Standing(0, 0, ""), seen, busy(860), Clock(NOW), last)
    assert found.words == "No events for 14 minutes"
    assert found.rest[0] == "Usually about 860 a minute."


@pytest.mark.parametrize(
    ("standing", "before"),
    [(Standing(1, 1, ""), ""), (Standing(1, 0, ""), ""), (Standing(3, 2, ""), "1 more is being investigated. ")],
)
def test_silence_is_said_beside_an_incident_too(standing: Standing, before: str) -> None:
    last = NOW - timedelta(hours=2, minutes=1)
    found = verdict.verdict(standing, overview(), busy(860), Clock(NOW), last)
    silent = "No events for 2 hours. Nothing else can be noticed until they arrive again."
    assert " ".join(found.rest) == before + silent


@pytest.mark.parametrize(("a_minute", "silent"), [(860, 4), (3, 14)])  # too short; fewer than fifty would have come
def test_silence_that_may_be_chance_is_quiet(a_minute: int, silent: int) -> None:
    last = NOW - timedelta(minutes=silent)
    assert verdict.verdict(Standing(0, 0, ""), overview(), busy(a_minute), Clock(NOW), last).kind == "quiet"


def test_an_event_is_never_older_than_the_minute_it_was_counted_in() -> None:
    received = NOW - timedelta(hours=1)
    assert verdict.latest(overview(), received) == time_of(MINUTE + 19)
    assert verdict.latest(overview(newest=None), None) is None


def test_what_all_readers_of_an_organisation_read_is_read_once_for_a_while() -> None:
    kept, read = Kept[int](timedelta(seconds=15)), iter(range(9))
    found = [kept.of(org, NOW + timedelta(seconds=s), lambda: next(read)) for org, s in
             (("a", 0), ("a", 14), ("b", 14), ("a", 15), ("a", 14))]  # fmt: skip
    assert found == [0, 0, 1, 2, 3]  # a clock that was set back reads again
