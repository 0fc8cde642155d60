"""What a row of the Postgres log holds: any keys and values, cut into rows a reader can take."""

import json
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.clients.stream import Item, bodies, partition_of

maybe = st.none() | st.binary(max_size=40)
values = (
    maybe
    | st.text().map(str.encode)
    | st.recursive(st.text() | st.floats() | st.none(), st.lists).map(
        lambda value: json.dumps(value, ensure_ascii=False).encode("utf-8", "surrogatepass")
    )
)


def unpacked(lists: list[list[bodies.Row]]) -> list[tuple[int, Item]]:
    """As stream_append and a reader take them apart."""
    back: list[tuple[int, Item]] = []
    for row in (row for rows in lists for row in rows):
        stored = bodies.records(row.body)
        assert row.records == len(stored)
        back += [(row.partition, (one.key, one.value)) for one in stored]
    return back


@given(st.lists(st.tuples(maybe, maybe), max_size=30), st.integers(1, 5), st.booleans())
def test_keys_and_values_come_back_in_their_partition_and_order(
    items: list[Item], partitions: int, plain: bool
) -> None:
    back = unpacked(bodies.rows(bodies.encoded(items, plain=plain), partitions))
    for part in range(partitions):
        assert [item for at, item in back if at == part] == [i for i in items if partition_of(i[0], partitions) == part]


@given(values)
def test_the_text_of_json_is_kept_to_the_byte(value: bytes | None) -> None:
    assert unpacked(bodies.rows(bodies.encoded([(None, value)]), 1)) == [(0, (None, value))]


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        (b'{"a": 1,  "a": 1e400}', True),  # a repeated name, a number beyond all: json keeps both as they stand
        (b'"\xc3\xa9"', True),
        (b"null", True),
        (b' {"a": 1}', False),  # the space would be lost
        (b'{"a": 1}\n', False),
        (b"", False),
        (b'"\\u0000"', False),  # Postgres refuses it, and lone surrogates
        (b'"\\ud800"', False),
        (b'"\xff"', False),  # not UTF-8
        (b'"\x00"', False),
        (b"1},{2", False),  # two values would be two records
        (b"NaN", False),
        (b"[" * 100_000, False),
        (b"[" * 100_000 + b"]" * 100_000, False),
    ],
)
def test_only_what_postgres_takes_is_kept_as_json(value: bytes, kept: bool) -> None:
    assert (bodies.as_json(value) is not None) is kept


def test_a_row_is_small_enough_to_be_read_in_one_gulp_and_the_first_list_locks_all() -> None:
    items: list[Item] = [(b"%d" % (n % 3), b"x" * 1000) for n in range(3000)]
    items.append((b"big", b"y" * 600_000))
    lists = bodies.rows(bodies.encoded(items), 4)
    assert all(row.records <= bodies.ROW_RECORDS for rows in lists for row in rows)
    assert all(row.records == 1 or len(row.body) < bodies.ROW_CHARACTERS * 1.1 for rows in lists for row in rows)
    first, *later = [{row.partition for row in rows} for rows in lists]
    assert all(some <= first for some in later)
    assert all(len(rows) == len({row.partition for row in rows}) for rows in lists)
    assert Counter(part for part, _ in unpacked(lists)) == Counter(partition_of(key, 4) for key, _ in items)


@pytest.mark.parametrize(("key", "partition"), [(b"123456789", 0xCBF43926 % 12), (b"", 0), (None, 0)])
def test_a_key_has_its_partition_by_crc32(key: bytes | None, partition: int) -> None:
    assert partition_of(key, 12) == partition
