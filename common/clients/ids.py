"""New ids, where the clock and chance are read: in the order of their making, so that new rows lie together."""

import os
from time import time_ns

from common.events.identity import uuid7


def new_id() -> str:
    return str(uuid7(time_ns() // 1_000_000, int.from_bytes(os.urandom(10), "big") >> 6))
