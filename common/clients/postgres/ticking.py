"""Series that time alone may change, and changing them under the engine's own lock, a few hundred at a time."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime

import msgspec

from common.clients.gate import Origin
from common.clients.postgres import series, states
from common.clients.postgres.connection import Connection
from common.clients.postgres.outcomes import Outcomes
from common.clients.postgres.states import Loaded
from common.detection.rules import DROP
from common.incidents.state import Played
from common.incidents.title import title

AT_ONCE = 200
Judge = Callable[[Loaded], Played | None]


class Candidate(msgspec.Struct, frozen=True):
    """A series that may be due: after this minute of its own time, if its row says the same once it is locked."""

    id: str
    origin: Origin
    occurred_at: datetime
    received_at: datetime
    after: int


def silent(conn: Connection) -> list[Candidate]:
    """Signups with a minute that could hold and is not judged yet, or with a drop that is not over.

    Not those whose newest event came more than fifteen minutes late: a replay, or a slow uploader, is no silence.
    """
    query = """
        SELECT replace(s.id::text, '-', ''), s.stream, s.partition, s.newest_occurred, s.newest_received, s.judged
          FROM series s LEFT JOIN incidents i ON i.id = s.incident AND i.status <> 'resolved'
         WHERE s.metric_name = 'signup_count' AND s.newest_received - s.newest_occurred <= interval '15 minutes'
           AND (s.judged <= s.newest + 74 OR i.id IS NOT NULL)
         ORDER BY s.id
    """
    return _candidates(conn, query)


def stale(conn: Connection) -> list[Candidate]:
    """Incidents that are not resolved, and since when they could be. Drops that are judged live are `silent`'s."""
    query = """
        SELECT replace(s.id::text, '-', ''), s.stream, s.partition, s.newest_occurred, s.newest_received,
               minute_of(greatest(i.last_seen_at, i.reopened_at)) + 60
          FROM incidents i JOIN series s ON s.id = i.series AND s.incident = i.id
         WHERE i.status <> 'resolved'
           AND (i.rule <> 'signup_drop' OR s.newest_received - s.newest_occurred > interval '15 minutes')
         ORDER BY s.id
    """
    return _candidates(conn, query)


def change(conn: Connection, ids: Sequence[str], judge: Judge, told: Callable[[list[str]], None]) -> int:
    """Play each of these under its lock, a batch in a transaction; `told` hears of the AI jobs after each commit.

    Answers how many were changed. Twice at once is once: the second finds nothing left to do.
    """
    changed = 0
    for first in range(0, len(ids), AT_ONCE):
        count, jobs = _change(conn, ids[first : first + AT_ONCE], judge)
        changed += count
        told(jobs)
    return changed


def _change(conn: Connection, ids: Sequence[str], judge: Judge) -> tuple[int, list[str]]:
    outcomes, count = Outcomes(), 0
    with locked(conn, ids) as found:
        for one in found:
            played = judge(one)
            if played:
                outcomes.take(one, played, title(DROP, one.environment))
                count += played.judged != one.state.judged or played.incident != one.state.incident
        return count, commit(conn, outcomes)


@contextmanager
def locked(conn: Connection, ids: Sequence[str], *, reopening: bool = False) -> Iterator[list[Loaded]]:
    """Begin, lock and read in one round trip; whatever fails before the commit undoes all of it."""
    try:
        answer = conn.simple(f"{series.BEGIN} {series.locking(ids)} {states.asking_whole(ids, reopening=reopening)}")
        yield states.read(answer[-1][1])
    except BaseException:
        conn.rollback()
        raise


def commit(conn: Connection, outcomes: Outcomes) -> list[str]:
    """Write and commit; answers the AI jobs that were made."""
    rows = conn.simple(f"{outcomes.statements()} COMMIT")
    outcomes.count()
    return [row[1] for row in rows if row[0] == "job"]


def _candidates(conn: Connection, query: str) -> list[Candidate]:
    return [
        Candidate(series_id, Origin(stream, partition), occurred, received, after)
        for series_id, stream, partition, occurred, received, after in conn.run(query)
    ]
