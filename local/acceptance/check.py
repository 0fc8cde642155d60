"""What was expected and what was seen; a scenario is a list of these, and a failure to run is one too."""

import os
import time
from collections.abc import Callable, Iterator
from typing import NamedTuple, TypeVar

T = TypeVar("T")
PAUSE = 0.1
PATIENCE = float(os.environ.get("PATIENCE") or 45)  # seconds, for what is a matter of one


class Check(NamedTuple):
    what: str
    expected: str
    seen: str
    held: bool


class CouldNot(Exception):
    """The scenario could not go on; the sentence says what did not come to pass."""


def equal(what: str, expected: object, seen: object) -> Check:
    return Check(what, str(expected), str(seen), expected == seen)


def between(what: str, low: float, high: float, seen: float) -> Check:
    return Check(what, f"{low:g} to {high:g}", f"{seen:g}", low <= seen <= high)


def wait_for(what: str, ask: Callable[[], T | None], seconds: float = PATIENCE) -> T:
    """The first answer that is one."""
    until = time.monotonic() + seconds
    while (found := ask()) is None:
        if time.monotonic() > until:
            raise CouldNot(f"{what}: not within {seconds:.0f} s")
        time.sleep(PAUSE)
    return found


def settled(ask: Callable[[], T], wanted: T, seconds: float = PATIENCE) -> T:
    """What it is in the end: as wanted, or what it still is when patience ends."""
    until = time.monotonic() + seconds
    while (seen := ask()) != wanted and time.monotonic() < until:
        time.sleep(PAUSE)
    return seen


Checks = Iterator[Check]
