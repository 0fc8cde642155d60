"""How many items of a page an answer carries."""

import pytest

from common.clients.carried import MOST_BYTES, carried


@pytest.mark.parametrize(
    ("sizes", "count"),
    [
        ([], 0),
        ([1] * 200, 200),
        ([MOST_BYTES], 1),
        ([MOST_BYTES - 1, 1, 1], 2),
        ([MOST_BYTES + 1, 1], 1),  # or nobody would ever get past it
        ([1, MOST_BYTES], 1),
        ([MOST_BYTES, 0], 2),
    ],
)
def test_a_page_ends_at_half_a_megabyte_or_after_one_item(sizes: list[int], count: int) -> None:
    assert carried(sizes) == count
