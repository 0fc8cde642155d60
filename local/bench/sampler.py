"""Where time goes: the stack of the main thread is looked at every millisecond, waiting included."""

import signal
from collections import Counter
from collections.abc import Callable, Sequence
from types import FrameType
from typing import NamedTuple

EVERY = 0.001  # seconds
REST = "the rest"


class Place(NamedTuple):
    """What a file's functions are doing, told by the end of its path or by a folder in it."""

    doing: str
    files: tuple[str, ...]


def sampled(work: Callable[[], object], places: Sequence[Place]) -> dict[str, float]:
    """Per cent of the work's time in each place, the largest first. A stack counts for its innermost known file."""
    found: Counter[str] = Counter()
    looking = False

    def look(_signal: int, frame: FrameType | None) -> None:
        """On a busy machine the next signal may come before this one is counted; it must not look into itself."""
        nonlocal looking
        if not looking:
            looking = True
            found[doing(frame, places)] += 1
            looking = False

    before = signal.signal(signal.SIGALRM, look)
    signal.setitimer(signal.ITIMER_REAL, EVERY, EVERY)
    try:
        work()
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    whole = max(1, sum(found.values()))
    return {one: count * 100 / whole for one, count in found.most_common()}


def doing(frame: FrameType | None, places: Sequence[Place]) -> str:
    while frame is not None:
        for place in places:
            if any(file in frame.f_code.co_filename for file in place.files):
                return place.doing
        frame = frame.f_back
    return REST
