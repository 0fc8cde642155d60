"""What the play of one series begins with, what comes in, and what it answers: values only."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import msgspec

from common.detection.rules import DROP, HOUR, MINUTES, Rule
from common.incidents.incident import Incident
from common.incidents.timeline import Entry

NO_ROWS: Mapping[int, int] = {}


class State(msgspec.Struct, frozen=True):
    """A series as it was read under its lock: the newest incident, and the bucket rows its windows could need.

    `values` is None where the gate said that no window of this batch can hold: then no rule is asked. `criticals` has
    only the minutes that have any.
    """

    rule: Rule
    newest: int | None = None
    judged: int | None = None
    incident: Incident | None = None
    values: Mapping[int, int] | None = NO_ROWS
    criticals: Mapping[int, int] = NO_ROWS


class Run(NamedTuple):
    """Events of one minute that came one after the other, all of them critical or none.

    What stands in `events` is the caller's, one each by arrival: it is handed back, never looked at.
    """

    minute: int
    critical: bool
    events: Sequence[Any]


class Kept(NamedTuple):
    """A representative event. Its slot is written over unless what stands there is of a later minute."""

    incident: str
    slot: int
    minute: int
    event: Any


class Played(msgspec.Struct, frozen=True):
    """What is to be written. `newest` and `judged` are the series' own; the rest is empty where nothing changed."""

    newest: int | None
    judged: int | None
    reached: Any | None  # the event that first reached the newest minute, if that is a new one
    incident: Incident | None  # the newest of the series
    buckets: Mapping[int, tuple[int, int]]  # minute -> events, critical ones: to be added
    updated: Incident | None  # the incident that was read, where it changed: written before the opened ones
    opened: Sequence[Incident]  # each with its AI job; of one series only the last can be unresolved
    kept: Sequence[Kept]
    timeline: Sequence[Entry]
    asked: int = 0  # windows a rule was asked about


def first_row(state: State, *, reopening: bool = False) -> int | None:
    """From which minute on the clock or a person needs the rows of this series; None where no row is needed."""
    firsts = [] if state.judged is None else [state.judged - HOUR - MINUTES[DROP] + 1]
    if reopening and state.incident:
        firsts.append(state.incident.until + 1)
    return min(firsts, default=None)
