"""Up to when everything is counted: a moment behind is no standstill."""

from datetime import UTC, datetime, timedelta

from common.clients.postgres.counted import GRACE, Reached, Watch

NOW = datetime(2026, 11, 21, 3, 12, 20, tzinfo=UTC)
LAST = NOW - timedelta(hours=2)  # of a partition that seldom has anything
LATER = NOW + GRACE + timedelta(seconds=1)


def test_whoever_has_counted_all_has_counted_until_now() -> None:
    counted = Watch().counted("s", {0: (0, 5), 1: (0, 0)}, {0: Reached(5, LAST)}, NOW)
    assert (counted.until, counted.behind) == (NOW, {})


def test_a_record_that_just_came_does_not_throw_the_page_back_by_hours() -> None:
    watch = Watch()
    assert watch.counted("s", {0: (0, 6)}, {0: Reached(5, LAST)}, NOW).behind == {}


def test_a_partition_that_stays_where_it_was_stands_still() -> None:
    watch = Watch()
    for now in (NOW, LATER):
        counted = watch.counted("s", {0: (0, 6), 1: (0, 3)}, {0: Reached(5, LAST), 1: Reached(3, NOW)}, now)
    assert counted.behind == {0: LAST}
    assert counted.everywhere == LAST


def test_one_that_nobody_has_counted_from_waits_since_it_was_seen() -> None:
    watch = Watch()
    for now in (NOW, LATER):
        counted = watch.counted("s", {0: (0, 6)}, {}, now)
    assert counted.behind == {0: NOW}


def test_one_that_moves_on_is_only_busy() -> None:
    watch = Watch()
    watch.counted("s", {0: (0, 9)}, {0: Reached(5, NOW)}, NOW)
    assert watch.counted("s", {0: (0, 19)}, {0: Reached(8, NOW)}, LATER).behind == {}


def test_what_retention_deleted_uncounted_is_not_waited_for() -> None:
    watch = Watch()
    for now in (NOW, LATER):
        counted = watch.counted("s", {0: (6, 6)}, {0: Reached(5, LAST)}, now)
    assert counted.behind == {}


def test_a_stream_that_does_not_answer_knows_of_nothing_newer() -> None:
    counted = Watch().counted("", None, {0: Reached(5, LAST), 1: Reached(5, NOW - timedelta(minutes=3))}, NOW)
    assert counted.until == NOW - timedelta(minutes=3)
