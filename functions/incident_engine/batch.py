"""From events to what is counted: those of a series in their order, and everything by the minute.

Pure: no store is asked here.
"""

from collections.abc import Iterable

import msgspec

from common.clients.postgres.counting import Activity, Project
from common.clients.postgres.series import Series
from common.clients.postgres.states import Span
from common.incidents.state import Run
from functions.incident_engine.events import Events, Kind


class Group:
    """The events of one series, as runs of one minute."""

    __slots__ = ("critical", "last", "minute", "partition", "runs", "series")

    def __init__(self, series: Series) -> None:
        self.series = series
        self.runs: list[Run] = []
        self.minute: int | None = None
        self.critical, self.partition = False, -1
        self.last: list[int] = []  # the events of the last run

    def begin(self, minute: int, critical: bool, partition: int) -> None:
        self.minute, self.critical, self.partition, self.last = minute, critical, partition, []
        self.runs.append(Run(minute, critical, self.last))

    def span(self, order: int) -> Span:
        minutes = [run.minute for run in self.runs]
        return Span(order, self.series.id, sum(len(run.events) for run in self.runs), min(minutes), max(minutes))


class Tally:
    """How many events of one kind each minute had."""

    __slots__ = ("group", "kind", "minutes")

    def __init__(self, kind: Kind, group: Group | None) -> None:
        self.kind, self.group = kind, group
        self.minutes: dict[int, int] = {}


class Grouped(msgspec.Struct, frozen=True):
    projects: set[Project]
    groups: list[Group]
    activity: list[Activity]
    deploys: list[int]

    def spans(self) -> list[Span]:
        return [group.span(order) for order, group in enumerate(self.groups)]


def group(events: Events, places: Iterable[int]) -> Grouped:
    """These of the events: runs for each series, numbers for activity, and which are deploys."""
    kinds, minutes, records = events.kinds, events.minutes, events.records
    groups: dict[str, Group] = {}
    tallies: dict[int, Tally] = {}
    deploys: list[int] = []
    for place in places:
        kind, minute = kinds[place], minutes[place]
        tally = tallies.get(id(kind))
        if tally is None:
            tally = tallies[id(kind)] = Tally(kind, _group_of(kind, groups))
        tally.minutes[minute] = tally.minutes.get(minute, 0) + 1
        there = tally.group
        if there is not None:
            if there.minute != minute or there.critical is not kind.critical:
                there.begin(minute, kind.critical, records[place].partition)
            there.last.append(place)
        elif kind.event_type == "deploy":
            deploys.append(place)
    projects = {tally.kind.project for tally in tallies.values()}
    return Grouped(projects, list(groups.values()), _activity(tallies.values()), deploys)


def _group_of(kind: Kind, groups: dict[str, Group]) -> Group | None:
    return groups.setdefault(kind.series.id, Group(kind.series)) if kind.series else None


def _activity(tallies: Iterable[Tally]) -> list[Activity]:
    """Kinds that differ only in what a series is made of count together."""
    sums: dict[tuple[str, str, str, str, str, int], int] = {}
    for tally in tallies:
        kind = tally.kind
        for minute, count in tally.minutes.items():
            key = (*kind.project, kind.environment, kind.event_type, kind.severity, minute)
            sums[key] = sums.get(key, 0) + count
    return [Activity(*key, count) for key, count in sums.items()]
