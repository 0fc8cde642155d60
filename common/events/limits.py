"""What an event may be at most; the three in `Limits` are settings, the rest is the contract."""

from datetime import timedelta

from msgspec import Struct

MAX_DEPTH = 32  # arrays and objects inside each other, the event itself being the first
INT_MIN, INT_MAX = -(2**63), 2**63 - 1
MAX_AHEAD = timedelta(minutes=5)
BLANKS = " \t\r\n"


class Limits(Struct, frozen=True):
    """What an operator may set."""

    environments: tuple[str, ...] = ("prod", "staging", "dev")
    event_bytes: int = 64 * 1024  # as sent
    batch_events: int = 1000


LIMITS = Limits()
