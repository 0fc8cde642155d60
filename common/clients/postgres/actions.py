"""What people do to incidents, under the same lock as the engine: the series first, then its incidents.

Each returns when it is done, or raises Problem: 404 where the organisation has no such incident, 409 where the incident
is not in a state for this.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from uuid import UUID

import msgspec

from common.clients import gate
from common.clients.gate import Origin, Patience
from common.clients.ids import new_id
from common.clients.postgres import ticking
from common.clients.postgres.connection import Connection
from common.clients.postgres.database import Database
from common.clients.postgres.outcomes import Outcomes
from common.clients.postgres.states import Loaded
from common.clients.stream import Stream, notices
from common.detection.rules import DROP
from common.errors import Problem, Unavailable
from common.incidents import people
from common.incidents.clock import GRACE_MINUTES, series_minute
from common.incidents.incident import Incident
from common.incidents.people import Moment, Person, Refusal
from common.incidents.state import Played
from common.incidents.timeline import Entry
from common.incidents.title import title

PATIENCE = Patience(2)


class Act(msgspec.Struct, frozen=True):
    """Who does something to which incident, by the host's clock."""

    database: Database
    org_id: str
    incident_id: str
    person: Person
    now: datetime


def acknowledge(act: Act) -> None:
    _change(act, people.acknowledge, people.NOT_OPEN)


def unacknowledge(act: Act) -> None:
    _change(act, people.unacknowledge, people.NOT_INVESTIGATING)


def assign(act: Act, assignee: str | None) -> None:
    """To a person, or to nobody. Twice is once."""
    query = """
        UPDATE incidents SET assignee = :assignee
         WHERE id = :id AND assignee IS DISTINCT FROM :assignee::text RETURNING 1
    """
    with _locked(act) as (conn, one):
        changed = conn.run(query, assignee=assignee, id=act.incident_id)
        entry = people.assign(act.incident_id, assignee, act.person.name, _minute(one, act))
        _note(conn, [entry] if changed else [])


def comment(act: Act) -> None:
    """The same words of the same person again, right after themselves, are one comment."""
    with _locked(act) as (conn, one):
        entry = people.comment(act.incident_id, act.person, _minute(one, act))
        _note(conn, [] if _was_just_said(conn, entry) else [entry])


def resolve(act: Act, stream: Stream, patience: Patience = PATIENCE) -> None:
    """In this minute of the series, after it was brought up to date. 409 where time has resolved it before."""

    def play(one: Loaded, moment: Moment) -> tuple[Played, Refusal | None]:
        return people.resolve(one.state, act.incident_id, act.person, moment, new_id)

    _decide(act, stream, patience, play)


def reopen(act: Act, stream: Stream, patience: Patience = PATIENCE) -> None:
    """The newest of its series only. What came meanwhile becomes its own."""

    def play(one: Loaded, moment: Moment) -> tuple[Played, Refusal | None]:
        return people.reopen(one.state, act.incident_id, act.person, moment, new_id)

    _decide(act, stream, patience, play, reopening=True)


def _change(
    act: Act, change: Callable[[Incident, Person, int | None], tuple[Incident, Entry] | Refusal], older: Refusal
) -> None:
    """An incident that is not the newest of its series is resolved for good: then `older` is the answer."""
    with _locked(act) as (conn, one):
        incident = one.state.incident
        newest = incident if incident and incident.id == act.incident_id else None
        answer = change(newest, act.person, _minute(one, act)) if newest else older
        if isinstance(answer, Refusal):
            raise _conflict(answer)
        outcomes = Outcomes()
        outcomes.update(answer[0])
        outcomes.note(answer[1])
        ticking.commit(conn, outcomes)


def _decide(
    act: Act,
    stream: Stream,
    patience: Patience,
    play: Callable[[Loaded, Moment], tuple[Played, Refusal | None]],
    *,
    reopening: bool = False,
) -> None:
    """What was judged on the way is written even where the act itself is refused."""
    is_open = _gate_is_open(act, stream, patience)
    with _locked(act, reopening=reopening) as (conn, one):
        minute = _minute(one, act)
        played, refusal = play(one, Moment(minute, minute - GRACE_MINUTES if is_open else None))
        outcomes = Outcomes()
        outcomes.take(one, played, title(DROP, one.environment))
        jobs = ticking.commit(conn, outcomes)
    notices.wake(stream, jobs)
    if refusal:
        raise _conflict(refusal)


def _gate_is_open(act: Act, stream: Stream, patience: Patience) -> bool:
    """A stream that does not answer cannot vouch for anything: then people act without it."""
    with act.database.connection() as conn:
        _, origin = _series_of(conn, act)
    try:
        return gate.wait(act.database, stream, [origin], patience).lets_pass(origin)
    except Unavailable:
        return False


@contextmanager
def _locked(act: Act, *, reopening: bool = False) -> Iterator[tuple[Connection, Loaded]]:
    with act.database.connection() as conn:
        series, _ = _series_of(conn, act)
        with ticking.locked(conn, [series], reopening=reopening) as [one]:
            yield conn, one


def _series_of(conn: Connection, act: Act) -> tuple[str, Origin]:
    query = """
        SELECT replace(s.id::text, '-', ''), s.stream, s.partition FROM incidents i JOIN series s ON s.id = i.series
         WHERE i.id = :id AND i.org_id = :org
    """
    rows = conn.run(query, id=act.incident_id, org=act.org_id) if _is_uuid(act.incident_id) else []
    if not rows:
        raise Problem("not_found", "There is no such incident.", status=404)
    [[series, stream, partition]] = rows
    return series, Origin(stream, partition)


def _is_uuid(text: str) -> bool:
    try:
        return str(UUID(text)) == text.lower()
    except ValueError:
        return False


def _minute(one: Loaded, act: Act) -> int:
    assert one.newest_occurred is not None, "a series with an incident has events"
    assert one.newest_received is not None
    return series_minute(one.newest_occurred, one.newest_received, act.now)


def _note(conn: Connection, entries: Sequence[Entry]) -> None:
    outcomes = Outcomes()
    for entry in entries:
        outcomes.note(entry)
    ticking.commit(conn, outcomes)


def _was_just_said(conn: Connection, entry: Entry) -> bool:
    query = "SELECT who, what, why FROM incident_timeline WHERE incident_id = :id ORDER BY id DESC LIMIT 1"
    return conn.run(query, id=entry.incident) == [[entry.who, entry.what, entry.why]]


def _conflict(refusal: Refusal) -> Problem:
    return Problem(refusal.code, refusal.detail, status=409)
