"""kill -9 of every part while events flow: each 202 is counted once and searchable, incidents are the model's."""

import pytest

from tests import killed


@pytest.mark.parametrize(("stack", "seed"), [("embedded", 1), ("native", 2)])
def test_whatever_is_killed_every_202_is_counted_once_and_searchable(stack: str, seed: int) -> None:
    print(killed.play(stack, seed))
