"""Which of the errors of one run have something to ask, so that the others need not be asked one by one.

While a run is played its minute grows and nothing else does. It lies in the windows it asks and never in the hour
before one, so what each window needs is a number, known before, and the event that reaches it is counted off.
"""

from collections.abc import Iterator
from typing import NamedTuple

from common.detection.rules import (
    HOUR,
    MINUTES,
    SPIKE,
    SPIKE_ERRORS,
    critical_from,
    lesser,
    spike_from,
)
from common.detection.series import Counts
from common.incidents.incident import Incident

LATE = 60  # minutes behind the newest one: what comes later is counted and asks nothing
SPAN = MINUTES[SPIKE]


class Asked(NamedTuple):
    """A window of five minutes as it was before the run, and the hour before it."""

    end: int
    before: int
    hour: int


def asked(counts: Counts, minute: int, newest: int, coming: int) -> list[Asked]:
    """The windows that end in this minute or the next four, have an event there, are not after the newest minute.

    Those that `coming` events cannot fill are left out.
    """
    if minute < newest - LATE:
        return []
    ends = (end for end in range(minute, min(minute + SPAN - 1, newest) + 1) if end == minute or counts.at(end))
    sums = ((end, counts.total(end - SPAN + 1, end)) for end in ends)
    return [
        Asked(end, before, counts.total(end - SPAN - HOUR + 1, end - SPAN))
        for end, before in sums
        if before + coming >= SPIKE_ERRORS
    ]


def next_event(windows: list[Asked], incident: Incident | None, done: int, total: int) -> int:
    """The first event after `done` with which a window reaches a threshold; the last of the run is always asked.

    A threshold reached before the run counts with its first event: nobody has asked that window yet.
    """
    stops = (max(needed - window.before, 1) for window in windows for needed in _thresholds(window, incident))
    return min((stop for stop in stops if done < stop < total), default=total)


def _thresholds(window: Asked, incident: Incident | None) -> Iterator[int]:
    """From which sums on it changes more than a peak, which only grows: that waits for the last event."""
    hour = window.hour if incident is None else lesser(window.hour, incident.own(window.end))
    if incident is None or incident.status == "resolved" or window.end > incident.last_seen_at:
        yield spike_from(hour)
        yield critical_from(hour)
    elif incident.severity != "critical":
        yield critical_from(hour)
