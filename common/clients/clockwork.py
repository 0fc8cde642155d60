"""What the two clock jobs share: candidates, the gate, and the change under the lock on the series."""

from collections.abc import Callable, Sequence
from datetime import datetime

from common import log
from common.clients import gate
from common.clients.gate import Patience
from common.clients.postgres import ticking
from common.clients.postgres.connection import Connection
from common.clients.postgres.database import Database
from common.clients.postgres.ticking import Candidate, Judge
from common.clients.stream import Stream, notices
from common.incidents.clock import complete_before
from common.metrics import names

PATIENCE = Patience(20)


def work(
    database: Database,
    stream: Stream,
    find: Callable[[Connection], list[Candidate]],
    judge: Judge,
    now: datetime,
    patience: Patience,
) -> int:
    """Change the series that are due by `now` and all of whose events until `now` are counted."""
    with database.connection() as conn:
        found = find(conn)
    due = [one for one in found if complete_before(one.occurred_at, one.received_at, now) > one.after]
    passing = _let_pass(database, stream, due, patience, find.__name__) if due else []
    with database.connection() as conn:
        ids = [one.id for one in passing]
        return ticking.change(conn, ids, judge, lambda jobs: notices.wake(stream, jobs))


def _let_pass(
    database: Database, stream: Stream, due: Sequence[Candidate], patience: Patience, name: str
) -> list[Candidate]:
    """A consumer that stands still is said, never taken for silence."""
    opened = gate.wait(database, stream, [one.origin for one in due], patience)
    passing = [one for one in due if opened.lets_pass(one.origin)]
    if len(passing) < len(due):
        names.LEFT_OUT.add(len(due) - len(passing), name)
        said = "series were left out: their partitions are not counted to the end"
        log.write("warn", said, looking_for=name, series=len(due) - len(passing), partitions=sorted(opened.shut))
    return passing
