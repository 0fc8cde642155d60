"""The engine's transaction: one message that locks and reads, one that writes and commits, however large the batch."""

from collections.abc import Collection, Sequence
from datetime import datetime

import msgspec

from common.clients.postgres import progress, remembered, series, states
from common.clients.postgres.connection import Connection, Row
from common.clients.postgres.outcomes import Outcomes
from common.clients.postgres.progress import Move, Place, Source
from common.clients.postgres.quoting import render
from common.clients.postgres.series import Series
from common.clients.postgres.states import Loaded, Span

Project = tuple[str, str]  # organisation, project


class New(msgspec.Struct, frozen=True):
    """What this process has not seen before and may be missing."""

    projects: Collection[Project]
    series: Collection[Series]
    partitions: Collection[int]

    def __bool__(self) -> bool:
        return bool(self.projects or self.series or self.partitions)


class Ask(msgspec.Struct, frozen=True):
    """What a batch needs to know; `ids` are those callers chose, each once."""

    source: Source
    partitions: Collection[int]
    spans: Sequence[Span]
    ids: Collection[str]
    new: New


class Answer(msgspec.Struct, frozen=True):
    """Read under the locks, which are held now. Not `whole`: a row that was believed to be there is not."""

    whole: bool
    strangers: frozenset[Project]
    places: dict[int, Place]
    repeated: frozenset[str]
    loaded: list[Loaded]


class Activity(msgspec.Struct, frozen=True, gc=False):
    """So many events of one kind in one minute."""

    o: str
    p: str
    e: str
    t: str
    v: str
    m: int
    n: int


class Deploy(msgspec.Struct, frozen=True, gc=False):
    o: str
    p: str
    e: str
    id: str
    at: datetime
    s: str | None
    r: str | None
    m: str


def begin(conn: Connection, ask: Ask) -> Answer:
    """Lock and read, in one round trip. The transaction stays open; on any failure the caller rolls back."""
    new = ask.new
    message = [_creating(ask.source, new)] if new else []
    message += [series.BEGIN, progress.locking(ask.source, ask.partitions)]
    if ask.spans:
        message.append(series.locking([span.s for span in ask.spans]))
    if ask.ids:
        message.append(remembered.remembering(ask.ids))
    if ask.spans:
        message.append(states.asking(ask.spans, ask.source.stream))
    return _answer(conn.simple("".join(message)), ask)


def commit(
    conn: Connection,
    source: Source,
    outcomes: Outcomes,
    deploys: Sequence[Deploy],
    activity: Sequence[Activity],
    moves: Sequence[Move],
) -> list[str]:
    """Write and commit, in one round trip; answers the AI jobs that were made.

    Activity comes last but for the progress, since other partitions count in the same rows.
    """
    message = [outcomes.statements()]
    if deploys:
        message.append(render(DEPLOY, {"rows": msgspec.json.encode(deploys).decode()}))
    if activity:
        message.append(render(COUNT, {"rows": msgspec.json.encode(activity).decode()}))
    message += [progress.moving(source, moves), "COMMIT"]
    rows = conn.simple("".join(message))
    outcomes.count()
    return [row[1] for row in rows if row[0] == "job"]


DEPLOY = """
INSERT INTO deploys (org_id, project_id, environment, event_id, occurred_at, service, release, message)
SELECT o, p, e, id, at, s, r, m
  FROM json_to_recordset(:rows)
    AS x(o text, p text, e text, id uuid, at timestamptz, s text, r text, m text)
 ORDER BY p, id ON CONFLICT DO NOTHING;
"""
# The day is the database's, as are the partitions: no clock of ours can name one that is not there.
COUNT = """
INSERT INTO activity AS a (day, org_id, project_id, environment, event_type, severity, minute, value)
SELECT (now() AT TIME ZONE 'UTC')::date, o, p, e, t, v, m, n
  FROM json_to_recordset(:rows) AS x(o text, p text, e text, t text, v text, m int, n int)
 ORDER BY p, e, t, v, m
    ON CONFLICT (project_id, environment, event_type, severity, minute, day) DO UPDATE
   SET value = a.value + excluded.value;
"""


def _creating(source: Source, new: New) -> str:
    """In a small transaction of its own, before any lock: nobody waits for another's new row while holding his own.

    It need not reach the disk by itself: whatever refers to these rows is committed after them.
    """
    message = [series.strangers(new.projects)] if new.projects else []
    message.append("BEGIN; SET LOCAL synchronous_commit = off;")
    if new.series:
        message.append(series.creating(new.series))
    if new.partitions:
        message.append(progress.creating(source, new.partitions))
    return "".join([*message, "COMMIT;"])


def _answer(rows: list[Row], ask: Ask) -> Answer:
    told: dict[str, list[Row]] = {}
    for name, *row in rows:
        told.setdefault(name, []).append(row)
    places = {partition: Place(following, newest) for partition, following, newest in told.get("place", [])}
    [[locked]] = told.get("series", [[0]])
    [[repeated]] = told.get("repeated", [[None]])
    [[loaded]] = told.get("states", [[None]])
    return Answer(
        whole=locked == len(ask.spans) and len(places) == len(ask.partitions),
        strangers=frozenset((org, project) for org, project in told.get("stranger", [])),
        places=places,
        repeated=frozenset(repeated.split(",") if repeated else ()),
        loaded=states.read(loaded),
    )
