"""Backoff: five seconds doubled up to two minutes, jitter takes up to half off, and the last attempt is the last."""

import pytest

from common.summaries.retry import wait_after


@pytest.mark.parametrize(
    ("attempts", "chance", "seconds"),
    [
        (1, 0.0, 5.0),
        (1, 1.0, 2.5),
        (2, 0.0, 10.0),
        (5, 0.0, 80.0),
        (6, 0.0, 120.0),  # 160 is over the cap
        (99, 0.5, 90.0),
    ],
)
def test_waits(attempts: int, chance: float, seconds: float) -> None:
    wait = wait_after(attempts, 100, chance)
    assert wait
    assert wait.total_seconds() == seconds


def test_after_the_last_attempt_there_is_no_other() -> None:
    assert wait_after(3, 3, 0.5) is None
    assert wait_after(2, 3, 0.5) is not None
