"""Random histories through the whole engine: whatever dies and whatever comes twice, it is as the reference says.

Each seed plays two of them at once; `python -m tests.counted --n 1000` plays more.
"""

from collections.abc import Iterator

import pytest

from common import settings
from tests import servers
from tests.counted import Where, differences

pytestmark = pytest.mark.many

SEEDS, AT_ONCE = 100, 10


@pytest.fixture(scope="module")
def where() -> Iterator[Where]:
    url = servers.fresh_database()
    yield lambda: settings.read({"DATABASE_URL": url}).database
    servers.drop_database(url)


@pytest.mark.parametrize("first", range(0, SEEDS, AT_ONCE))
def test_histories_are_counted_as_the_reference_counts_them(where: Where, first: int) -> None:
    found = {seed: differences(where, seed) for seed in range(first, first + AT_ONCE)}
    assert {seed: lines for seed, lines in found.items() if lines} == {}
