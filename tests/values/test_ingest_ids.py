"""The ids ingest mints: of their millisecond, different, in order, and UUIDs whatever chance says."""

from datetime import UTC, datetime
from uuid import RFC_4122

import pytest

from functions.ingest import main

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize("chance", [bytes(10), b"\xff" * 10, b"\x80" * 10, b"\x7f" * 10])
def test_counting_up_never_spoils_an_id(monkeypatch: pytest.MonkeyPatch, chance: bytes) -> None:
    monkeypatch.setattr("os.urandom", lambda _: chance)
    ids = main.new_ids(NOW, 1000)
    assert ids == sorted(set(ids))
    assert {(one.version, one.variant, one.int >> 80) for one in ids} == {(7, RFC_4122, 1_772_366_400_000)}


def test_two_batches_of_one_millisecond_have_different_ids() -> None:
    assert not set(main.new_ids(NOW, 1000)) & set(main.new_ids(NOW, 1000))


def test_none_are_minted_where_none_are_needed() -> None:
    assert main.new_ids(NOW, 0) == []
