"""Up to when everything is counted, as the stream and the engine say it together."""

from datetime import datetime, timedelta

from common import topics
from common.clients.postgres import counted
from common.clients.postgres.connection import Connection
from common.clients.postgres.counted import Counted, Ends, Watch
from common.errors import Unavailable
from functions.dashboard import stores

PATIENCE = timedelta(seconds=30)  # a stream that did not answer is left alone for so long: pages must stand without it

A_WHILE = timedelta(minutes=1)  # how old the number of dead letters may be

_watch = Watch()
_silent_since: list[datetime] = []
_set_aside: list[tuple[datetime, int]] = []


def counted_until(conn: Connection, now: datetime) -> Counted:
    name, ends = _asked(now)
    return _watch.counted(name, ends, counted.reached(conn, name), now)


def _asked(now: datetime) -> tuple[str, Ends | None]:
    if _silent_since and now - _silent_since[0] < PATIENCE:
        return "", None
    try:
        name, ends = stores.stream().name, stores.stream().ends(topics.RAW)
    except Unavailable:
        _silent_since[:] = [now]
        return "", None
    _silent_since.clear()
    return name, ends


def set_aside(now: datetime) -> int | None:
    """Records nobody could use, of all organisations; None: the stream does not answer."""
    if not _set_aside or now - _set_aside[0][0] > A_WHILE:
        try:
            ends = stores.stream().ends(topics.DLQ)
        except Unavailable:
            return None
        _set_aside[:] = [(now, sum(high - low for low, high in ends.values()))]
    return _set_aside[0][1]
