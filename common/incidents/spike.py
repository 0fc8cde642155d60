"""Which of the errors of one run have something to ask, so that the others need not be asked one by one.

While a run is played its minute grows and nothing else does. It lies in the windows it asks and never in the hour
before one, so what each window needs is a number, known before, and the event that reaches it is counted off.
"""

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
    windows: list[Asked] = []
    if minute < newest - LATE:
        return windows
    for end in range(minute, min(minute + SPAN - 1, newest) + 1):
        if end == minute or counts.at(end):
            before = counts.total(end - SPAN + 1, end)
            if before + coming >= SPIKE_ERRORS:
                windows.append(Asked(end, before, counts.total(end - SPAN - HOUR + 1, end - SPAN)))
    return windows


def next_event(windows: list[Asked], incident: Incident | None, done: int, total: int) -> int:
    """The first event after `done` with which a window reaches a threshold; the last of the run is always asked.

    A threshold reached before the run counts with its first event: nobody has asked that window yet.
    """
    first = total
    for window in windows:
        for needed in _thresholds(window, incident):
            event = max(needed - window.before, 1)
            if done < event < first:
                first = event
    return first


def _thresholds(window: Asked, incident: Incident | None) -> tuple[int, ...]:
    """The sums from which on it changes more than a peak and a last minute, which wait for the last event."""
    hour = window.hour if incident is None else lesser(window.hour, incident.own(window.end))
    if incident is None or incident.status == "resolved" or window.end > incident.end:
        return spike_from(hour), critical_from(hour)
    if incident.severity == "critical":
        return ()  # it goes on, and cannot become worse
    # going on longer, it may take in a critical event
    longer = window.end > incident.last_seen_at
    return (spike_from(hour), critical_from(hour)) if longer else (critical_from(hour),)
