"""From records to what is counted: each event read once, a series' in their order, everything by the minute.

Pure: no store is asked here.
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from hashlib import sha256

import msgspec

from common.clients.postgres.counting import Activity, Project
from common.clients.postgres.series import Series
from common.clients.postgres.states import Span
from common.edge.records import Record, Refused
from common.errors import Problem
from common.events.counted import Counted, decode_counted, minute_of
from common.events.identity import fingerprint, metric_of, series_id, shorten
from common.events.limits import MAX_AHEAD
from common.incidents.state import Run

REMEMBERED = 50_000
NOT_CLAMPED = "is more than five minutes after received_at; ingest would have clamped it."
LAST = datetime(6000, 1, 1, tzinfo=UTC)  # minutes are four bytes in the tables
Key = tuple[str, str, str, str, str, str | None, str | None]


class Kind(msgspec.Struct, frozen=True, gc=False):
    """All that events with the same texts have in common. `scope` is where their ids are remembered."""

    project: Project
    environment: str
    event_type: str
    severity: str
    critical: bool
    scope: bytes
    series: Series | None


class Events(msgspec.Struct, frozen=True):
    """The readable records, and the others. An event is named by its place, here and ever after."""

    records: list[Record]
    counted: list[Counted]
    kinds: list[Kind]
    refused: list[Refused]


class Unreadable(Exception):
    """A record that looked like an envelope to the counting, and is none to whoever reads all of it."""

    def __init__(self, place: int, problem: Problem) -> None:
        super().__init__(str(problem))
        self.place, self.problem = place, problem


class Group:
    """The events of one series, as runs of one minute."""

    __slots__ = ("partition", "runs", "series")

    def __init__(self, series: Series) -> None:
        self.series = series
        self.runs: list[Run] = []
        self.partition = -1

    def span(self, order: int) -> Span:
        minutes = [run.minute for run in self.runs]
        return Span(order, self.series.id, sum(len(run.events) for run in self.runs), min(minutes), max(minutes))


class Grouped(msgspec.Struct, frozen=True):
    groups: list[Group]
    activity: list[Activity]
    deploys: list[int]

    def spans(self) -> list[Span]:
        return [group.span(order) for order, group in enumerate(self.groups)]


def read(records: Sequence[Record]) -> Events:
    """Each record as an event, or refused with the reason."""
    events = Events([], [], [], [])
    for record in records:
        try:
            counted = decode_counted(record.value or b"")
            _check_time(counted)
        except Problem as problem:
            events.refused.append(refusal(record, problem))
            continue
        events.records.append(record)
        events.counted.append(counted)
        events.kinds.append(_kind_of(counted))
    return events


def _check_time(counted: Counted) -> None:
    """What ingest never lets through; one such event would make all that follow in its series late for ever."""
    occurred, received = counted.occurred_at, counted.received_at
    if occurred > received and occurred - received > MAX_AHEAD:
        raise Problem("not_clamped", NOT_CLAMPED, field="occurred_at")
    if occurred >= LAST:
        raise Problem("time_out_of_range", "is not before the year 6000.", field="occurred_at")


def without(events: Events, problems: dict[int, Problem]) -> Events:
    """The events at these places are refused after all."""
    stay = [place for place in range(len(events.records)) if place not in problems]
    return Events(
        [events.records[place] for place in stay],
        [events.counted[place] for place in stay],
        [events.kinds[place] for place in stay],
        events.refused + [refusal(events.records[place], problem) for place, problem in sorted(problems.items())],
    )


def refusal(record: Record, problem: Problem) -> Refused:
    return Refused(record, problem.code, f"{problem.field}: {problem}" if problem.field else str(problem))


def group(events: Events, places: Iterable[int]) -> Grouped:
    """These of the events: runs for each series, numbers for activity, and which are deploys."""
    counted, kinds, records = events.counted, events.kinds, events.records
    groups: dict[str, Group] = {}
    minutes: dict[tuple[int, int], int] = {}
    deploys: list[int] = []
    for place in places:
        kind = kinds[place]
        minute = minute_of(counted[place].occurred_at)
        counts = (id(kind), minute)
        minutes[counts] = minutes.get(counts, 0) + 1
        series = kind.series
        if series is None:
            if kind.event_type == "deploy":
                deploys.append(place)
            continue
        there = groups.get(series.id)
        if there is None:
            there = groups[series.id] = Group(series)
        if not there.runs or there.runs[-1].minute != minute or there.runs[-1].critical != kind.critical:
            there.runs.append(Run(minute, kind.critical, []))
            there.partition = records[place].partition
        there.runs[-1].events.append(place)  # type: ignore[attr-defined]
    return Grouped(list(groups.values()), _activity(kinds, minutes), deploys)


def ids(events: Events) -> dict[int, str]:
    """For each event whose id its caller chose, what is remembered: the id, within its series."""
    return {
        place: sha256(events.kinds[place].scope + counted.event_id.encode()).hexdigest()[:32]
        for place, counted in enumerate(events.counted)
        if not counted.minted
    }


def _activity(kinds: Iterable[Kind], minutes: dict[tuple[int, int], int]) -> list[Activity]:
    """Kinds that differ only in what a series is made of count together."""
    by_id = {id(kind): kind for kind in kinds}
    sums: dict[tuple[str, str, str, str, str, int], int] = {}
    for (which, minute), count in minutes.items():
        kind = by_id[which]
        key = (*kind.project, kind.environment, kind.event_type, kind.severity, minute)
        sums[key] = sums.get(key, 0) + count
    return [Activity(*key, count) for key, count in sums.items()]


_kinds: dict[Key, Kind] = {}


def _kind_of(counted: Counted) -> Kind:
    """Remembered by the texts it is made of. An error with neither code nor route is told apart by its message."""
    attributes = counted.attributes
    code, route = attributes.error_code, attributes.route
    key = (
        counted.org_id,
        counted.project_id,
        counted.environment,
        counted.event_type,
        counted.severity,
        code,
        route,
    )
    kind = _kinds.get(key)
    if kind is None:
        kind = _new_kind(counted)
        if counted.event_type != "error" or code or (route and shorten(route)):
            if len(_kinds) >= REMEMBERED:
                _kinds.clear()
            _kinds[key] = kind
    return kind


def _new_kind(counted: Counted) -> Kind:
    attributes = counted.attributes
    named = fingerprint(
        counted.event_type, counted.environment, attributes.error_code, attributes.route, counted.message
    )
    metric = metric_of(counted.event_type)
    scope = series_id(counted.project_id, counted.environment, metric or counted.event_type, named.text)
    service = None if attributes.service is None else str(attributes.service)
    series = metric and Series(
        scope.hex(), counted.org_id, counted.project_id, counted.environment, metric, named, service
    )
    return Kind(
        (counted.org_id, counted.project_id),
        counted.environment,
        counted.event_type,
        counted.severity,
        counted.severity == "critical",
        scope,
        series or None,
    )
