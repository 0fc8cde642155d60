"""When a job that failed is tried again: exponential backoff with jitter, and after the last attempt never."""

from datetime import timedelta

BASE_SECONDS, CAP_SECONDS = 5.0, 120.0


def wait_after(attempts: int, most: int, chance: float) -> timedelta | None:
    """After this many failed attempts: how long to wait, None when there is no other.

    The wait doubles from five seconds to two minutes; chance (0 to 1) takes up to a half off, so that jobs which
    failed together do not come back together.
    """
    if attempts >= most:
        return None
    longest = min(CAP_SECONDS, BASE_SECONDS * 2 ** (attempts - 1))
    return timedelta(seconds=longest * (1 - chance / 2))
