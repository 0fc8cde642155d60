"""Series time: what the clock jobs and people go by, so that history replayed at any speed is never old."""

from datetime import UTC, datetime, timedelta

from common.detection.rules import DROP, HOUR, MINUTES
from common.incidents.state import State

GRACE_MINUTES = 2  # for the clock jobs: events of the last minutes are still under way
SLOW = timedelta(minutes=15)  # a newest event that came so late: a replay, or a slow uploader, and no silence
MINUTE = timedelta(minutes=1)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def minute_of(time: datetime) -> int:
    return (time - EPOCH) // MINUTE


def time_of(minute: int) -> datetime:
    return EPOCH + minute * MINUTE


def series_minute(occurred_at: datetime, received_at: datetime, now: datetime) -> int:
    """Of the event that first reached the newest minute: its time, and what has passed since it came; at most now."""
    return min(occurred_at - EPOCH + (now - received_at), now - EPOCH) // MINUTE


def complete_before(occurred_at: datetime, received_at: datetime, now: datetime) -> int:
    """The minute before which the clock vouches for every one."""
    return series_minute(occurred_at, received_at, now) - GRACE_MINUTES


def came_late(occurred_at: datetime, received_at: datetime) -> bool:
    return received_at - occurred_at > SLOW


def may_be_silent(state: State) -> bool:
    """A minute that could hold is not judged yet, or a drop is unresolved: then `watch_silence` looks."""
    if state.rule != DROP or state.newest is None or state.judged is None:
        return False
    unresolved = state.incident is not None and state.incident.status != "resolved"
    return unresolved or state.judged < state.newest + HOUR + MINUTES[DROP]
