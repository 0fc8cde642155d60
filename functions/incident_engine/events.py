"""From records to events: each read once, what is none refused with the reason, and equal ones recognised."""

from collections.abc import Sequence
from datetime import UTC, datetime
from hashlib import sha256

import msgspec

from common.clients.postgres.counting import Project
from common.clients.postgres.series import Series
from common.clients.stream import retried
from common.edge.records import Record, Refused
from common.errors import Problem
from common.events.counted import Counted, decode_counted, minute_of
from common.events.identity import Fingerprint, fingerprint, metric_of, series_id
from common.events.limits import MAX_AHEAD

NAME = "incident_engine"
REMEMBERED = 50_000
NOT_CLAMPED = "is more than five minutes after received_at; ingest would have clamped it."
LAST = datetime(6000, 1, 1, tzinfo=UTC)  # minutes are four bytes in the tables
Key = tuple[str, str, str, str, str | None, str | None, str]


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
    """The readable records, and the others. An event is named by its place, here and ever after.

    What was read is let go at once: thousands of kept ones cost more than reading the few that are asked for again.
    """

    records: list[Record]
    kinds: list[Kind]
    minutes: list[int]
    own_ids: dict[int, str]  # where the caller chose the id: what is remembered of it, within its series
    refused: list[Refused]

    def counted(self, place: int) -> Counted:
        return decode_counted(self.records[place].value or b"")


class Unreadable(Exception):
    """A record that looked like an envelope to the counting, and is none to whoever reads all of it."""

    def __init__(self, place: int, problem: Problem) -> None:
        super().__init__(str(problem))
        self.place, self.problem = place, problem


def read(records: Sequence[Record]) -> Events:
    """Each record as an event, or refused with the reason."""
    events = Events([], [], [], {}, [])
    for record in records:
        try:
            counted = decode_counted(record.value or b"")
            if counted.occurred_at > counted.received_at or counted.occurred_at >= LAST:
                _check_time(counted)
        except Problem as problem:
            came_back = _opened(record, problem, events.refused)
            if came_back is None:
                continue
            counted = came_back
        attributes = counted.attributes
        key = (
            counted.project_id,
            counted.environment,
            counted.event_type,
            counted.severity,
            attributes.error_code,
            attributes.route,
            counted.org_id,
        )
        kind = _kinds.get(key) or _new_kind(key, counted)
        if not counted.minted:
            events.own_ids[len(events.records)] = _own_id(kind, counted)
        events.records.append(record)
        events.kinds.append(kind)
        events.minutes.append(minute_of(counted.occurred_at))
    return events


def _own_id(kind: Kind, counted: Counted) -> str:
    return sha256(kind.scope + counted.event_id.encode()).hexdigest()[:32]


def _opened(record: Record, problem: Problem, refused: list[Refused]) -> Counted | None:
    """What is no envelope may hold one that came back from the dead letters; if it was refused here, it is counted.

    Its id is remembered as if its caller had chosen it, so that a letter sent back twice is counted once.
    """
    back = retried.read(record)
    if back is None:
        refused.append(refusal(record, problem))
        return None
    if back.station != NAME:
        return None  # it was counted when it first came
    record.value = back.value  # in place: the record is known by its identity
    try:
        counted = decode_counted(back.value or b"")
        _check_time(counted)
    except Problem as still:
        refused.append(refusal(record, still))
        return None
    return msgspec.structs.replace(counted, minted=False)


def _check_time(counted: Counted) -> None:
    """What ingest never lets through; one such event would make all that follow in its series late for ever."""
    if counted.occurred_at - counted.received_at > MAX_AHEAD:
        raise Problem("not_clamped", NOT_CLAMPED, field="occurred_at")
    if counted.occurred_at >= LAST:
        raise Problem("time_out_of_range", "is not before the year 6000.", field="occurred_at")


def without(events: Events, problems: dict[int, Problem]) -> Events:
    """The events at these places are refused after all."""
    stay = [place for place in range(len(events.records)) if place not in problems]
    return Events(
        [events.records[place] for place in stay],
        [events.kinds[place] for place in stay],
        [events.minutes[place] for place in stay],
        {new: events.own_ids[place] for new, place in enumerate(stay) if place in events.own_ids},
        events.refused + [refusal(events.records[place], problem) for place, problem in sorted(problems.items())],
    )


def refusal(record: Record, problem: Problem) -> Refused:
    return Refused(record, problem.code, f"{problem.field}: {problem}" if problem.field else str(problem))


_kinds: dict[Key, Kind] = {}  # by the texts they are made of


def _new_kind(key: Key, counted: Counted) -> Kind:
    """Remembered, unless it is an error with neither code nor route: those are told apart by their messages."""
    attributes = counted.attributes
    named = fingerprint(
        counted.event_type, counted.environment, attributes.error_code, attributes.route, counted.message
    )
    metric = metric_of(counted.event_type)
    scope = series_id(counted.project_id, counted.environment, metric or counted.event_type, named.text)
    kind = Kind(
        (counted.org_id, counted.project_id),
        counted.environment,
        counted.event_type,
        counted.severity,
        counted.severity == "critical",
        scope,
        _series(counted, metric, named, scope.hex()) if metric else None,
    )
    if not named.message:
        if len(_kinds) >= REMEMBERED:
            _kinds.clear()
        _kinds[key] = kind
    return kind


def _series(counted: Counted, metric: str, named: Fingerprint, series: str) -> Series:
    service = counted.attributes.service
    return Series(
        series,
        counted.org_id,
        counted.project_id,
        counted.environment,
        metric,
        named,
        None if service is None else str(service),
    )
