"""Fingerprints, stream keys, series ids and minted ids: what the vectors cannot show case by case."""

import time
from uuid import RFC_4122, UUID

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from common.events.identity import (
    METRICS,
    fingerprint,
    first_line,
    metric_of,
    series_id,
    shorten,
    stream_key,
    uuid7,
)

parts = st.text(st.sampled_from("ab|\\:/?#1 "), max_size=6) | st.text(max_size=6)
messages = st.text(st.sampled_from("ab|\\'\"1\n:@"), min_size=1, max_size=12) | st.text(min_size=1, max_size=12)
types = st.sampled_from(["error", "signup", "deploy", "custom"])
events = st.tuples(types, parts, parts, parts, messages)


def split(text: str) -> list[str]:
    """The parts of a fingerprint or key: what an unescaped bar divides."""
    found, rest = [""], iter(text)
    for sign in rest:
        if sign == "|":
            found.append("")
        else:
            found[-1] += next(rest) if sign == "\\" else sign
    return found


@settings(max_examples=200)
@given(events)
def test_the_parts_can_be_read_back_from_the_text(event: tuple[str, str, str, str, str]) -> None:
    found = fingerprint(*event)
    if found.event_type != "error":
        assert split(found.text) == [found.event_type, found.environment]
    elif found.error_code or found.route:
        assert split(found.text) == [found.error_code, found.route, found.environment]
    else:
        assert split(found.text) == ["", "", found.environment, found.message]


@settings(max_examples=400)
@given(events, events)
@example(("error", "prod", "a", "b|c", "m"), ("error", "prod", "a|b", "c", "m"))
@example(("error", "prod", "a\\", "b", "m"), ("error", "prod", "a", "\\|b", "m"))
@example(("error", "prod", "boom", "", "m"), ("error", "prod", "", "", "boom"))
@example(("error", "prod", "signup", "", "m"), ("signup", "prod", "", "", "m"))
@example(("error", "b|", "", "", "a"), ("error", "b", "", "", "|a"))
def test_distinct_parts_never_share_a_text(one: tuple[str, ...], other: tuple[str, ...]) -> None:
    a, b = fingerprint(*one), fingerprint(*other)
    assert (a.text == b.text) == (a == b)


@settings(max_examples=200)
@given(events, events)
def test_events_of_one_series_share_a_stream_key(one: tuple[str, ...], other: tuple[str, ...]) -> None:
    keys = []
    for event_type, _, error_code, route, _ in (one, other):
        keys.append(stream_key("acme", "shop", event_type, error_code, route))
    if fingerprint(*one) == fingerprint(*other):
        assert keys[0] == keys[1]


@settings(max_examples=200)
@given(*[st.tuples(parts, parts, types, parts, parts)] * 2)
def test_distinct_keys_have_distinct_parts(one: tuple[str, ...], other: tuple[str, ...]) -> None:
    same = split(stream_key(*one).decode("utf-8")) == split(stream_key(*other).decode("utf-8"))
    assert (stream_key(*one) == stream_key(*other)) == same


@given(parts)
def test_shortening_twice_changes_nothing(route: str) -> None:
    assert shorten(shorten(route)) == shorten(route)


@settings(max_examples=200)
@given(st.text(max_size=200))
def test_a_first_line_is_one_line_of_at_most_120_characters(message: str) -> None:
    line = first_line(message)
    assert len(line) <= 120
    assert not set(line) & {"\n", "\r"}
    assert not any(digit in line for digit in "0123456789")


@given(st.text(st.sampled_from("ab1 .:-'\""), max_size=30), st.integers(0, 10**12), st.integers(0, 10**12))
def test_a_number_that_changes_does_not_change_the_line(text: str, one: int, other: int) -> None:
    assert first_line(f"job {one:013d}; {text}") == first_line(f"job {other:013d}; {text}")


HARD = ("a" * 8192, "a." * 4096, "a@" * 4096, "'a " * 2730, "“" * 8192, '"' * 8191, "1." * 4096, "a:" * 4096,
        "0x" * 4096, "f" * 8192, "a1b2" * 2048, "a+" * 4096, "::" * 4096, "1:" * 4096, "a://" * 2048)  # fmt: skip


@pytest.mark.parametrize("message", HARD)
def test_no_message_takes_more_than_a_hundred_times_a_plain_one(message: str) -> None:
    """A pattern that goes back over what it has read would take thousands of times as long."""

    def spent(text: str) -> float:
        texts = [f"{text[:1000]}{n}" for n in range(20)]  # each new to the memory of lines
        start = time.process_time()
        for each in texts:
            first_line(each)
        return time.process_time() - start

    assert min(spent(message) for _ in range(3)) < 100 * max(spent("word " * 200), 1e-4)


def test_only_errors_and_signups_have_a_metric() -> None:
    assert METRICS == {"error": "error_count", "signup": "signup_count"}
    assert metric_of("deploy") is None


def test_a_series_id_is_sixteen_bytes_and_moves_with_every_part() -> None:
    args = ["shop", "prod", "error_count", "E42||prod"]
    ids = {series_id(*args), *(series_id(*[*args[:n], args[n] + "x", *args[n + 1 :]]) for n in range(4))}
    assert {len(found) for found in ids} == {16}
    assert len(ids) == 5


@given(st.integers(0, 2**48 - 1), st.integers(0, 2**74 - 1))
@example(2**48 - 1, 2**74 - 1)
@example(0, 0)
def test_a_minted_id_is_a_uuid7_of_its_millisecond_with_all_its_chance(ms: int, chance: int) -> None:
    minted = uuid7(ms, chance)
    assert (minted.version, minted.variant) == (7, RFC_4122)
    assert minted.int >> 80 == ms
    assert (minted.int >> 64 & 0xFFF) << 62 | minted.int & 2**62 - 1 == chance


def test_a_minted_id_written_out() -> None:
    assert uuid7(0x0123456789AB, 0) == UUID("01234567-89ab-7000-8000-000000000000")
    assert uuid7(0, 2**74 - 1) == UUID("00000000-0000-7fff-bfff-ffffffffffff")


def test_later_ids_sort_later() -> None:
    assert str(uuid7(1, 2**74 - 1)) < str(uuid7(2, 0))
