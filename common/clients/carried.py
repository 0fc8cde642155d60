"""How many items of a page one answer carries: it may end before it has as many as were asked for."""

from collections.abc import Iterable

# A platform takes a megabyte, in which an answer is text inside JSON: each quote of it counts twice.
MOST_BYTES = 500_000


def carried(sizes: Iterable[int]) -> int:
    """So many from the front; a first one always."""
    count = total = 0
    for size in sizes:
        total += size
        if count and total > MOST_BYTES:
            break
        count += 1
    return count
