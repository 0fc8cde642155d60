"""What a play has made of its series, gathered over a batch and written in one fixed order, a statement a table.

Buckets, then incidents that were there before new ones (the partial unique index must see the old one resolved), then
what refers to them. All of it is guarded by the lock on the series.
"""

from collections.abc import Mapping
from datetime import datetime

import msgspec

from common.clients.postgres.quoting import render
from common.clients.postgres.states import Loaded
from common.detection.rules import MINUTES
from common.incidents.incident import Incident
from common.incidents.state import Played
from common.incidents.timeline import CLOCK, ENGINE, Entry
from common.metrics import names


class Origin(msgspec.Struct, frozen=True):
    """Where a series' events of this batch come from."""

    stream: str
    partition: int


class Reached(msgspec.Struct, frozen=True):
    """The times of the event that first reached the newest minute."""

    occurred_at: datetime
    received_at: datetime


class KeptEvent(msgspec.Struct, frozen=True, gc=False):
    """A representative event, as a row."""

    i: str
    s: int
    e: str
    o: datetime
    y: str
    v: str
    m: str
    a: Mapping[str, object]


class _Bucket(msgspec.Struct, gc=False):
    s: str
    m: int
    n: int
    k: int


class _Series(msgspec.Struct, gc=False):
    s: str
    n: int | None
    j: int | None
    i: str | None
    o: datetime | None
    r: datetime | None
    t: str | None
    p: int | None
    c: tuple[int, int, int] | None


class _Incident(msgspec.Struct, gc=False):
    """An incident's columns that change, and those that do not where it is new."""

    id: str
    st: str
    wa: str
    sv: str
    se: int
    pk: int
    n: int
    l: int | None  # noqa: E741
    k: int
    re: int | None
    by: int | None
    ro: int | None


class _New(_Incident, gc=False):
    q: int
    s: str
    ru: str
    ti: str
    op: int
    wm: int
    ob: int
    ba: int
    rc: str | None


class _Entry(msgspec.Struct, gc=False):
    i: str
    m: int | None
    w: str
    t: str
    y: str
    n: Mapping[str, int | float] | None


class Outcomes:
    """Take each series' play, then ask for the statements."""

    def __init__(self) -> None:
        self._buckets: list[_Bucket] = []
        self._series: list[_Series] = []
        self._updated: list[_Incident] = []
        self._opened: list[_New] = []
        self._kept: list[KeptEvent] = []
        self._entries: list[_Entry] = []
        self._asked: dict[str, int] = {}

    @property
    def changes(self) -> bool:
        return bool(self._buckets or self._series or self._updated or self._opened or self._entries)

    def take(
        self, loaded: Loaded, played: Played, title: str, reached: Reached | None = None, origin: Origin | None = None
    ) -> None:
        series, rule = loaded.id, loaded.state.rule
        self._asked[rule] = self._asked.get(rule, 0) + played.asked
        self._buckets += [_Bucket(series, minute, n, k) for minute, (n, k) in played.buckets.items()]
        if played.updated:
            self._updated.append(_Incident(*_changing(played.updated)))
        first = len(self._opened)
        self._opened += [_new(one, first + at, series, title) for at, one in enumerate(played.opened)]
        for entry in played.timeline:
            self.note(entry)
        if _differs(loaded, played, origin):
            self._series.append(_series(loaded, played, reached, origin))

    def keep(self, event: KeptEvent) -> None:
        self._kept.append(event)

    def update(self, incident: Incident) -> None:
        self._updated.append(_Incident(*_changing(incident)))

    def note(self, entry: Entry) -> None:
        self._entries.append(_Entry(entry.incident, entry.minute, entry.who, entry.what, entry.why, entry.numbers))

    def count(self) -> None:
        """For the metrics, once it is committed."""
        for rule, asked in self._asked.items():
            names.EVALUATIONS.add(asked, rule)
        for new in self._opened:
            names.OPENED.add(1, new.ru)
        for entry in self._entries:
            if entry.t == "resolved":
                names.RESOLVED.add(1, entry.w if entry.w in (ENGINE, CLOCK) else "person")

    def statements(self) -> str:
        """Of those that have something to write. The AI jobs that were made are answered as ('job', id)."""
        written = (
            (COUNT, self._buckets),
            (UPDATE, self._updated),
            (OPEN, self._opened),
            (MOVE, self._series),
            (KEEP, self._kept),
            (NOTE, self._entries),
        )
        return "".join(render(sql, {"rows": msgspec.json.encode(rows).decode()}) for sql, rows in written if rows)


COUNT = """
INSERT INTO buckets (series, minute, value, critical)
SELECT s, m, n, k FROM json_to_recordset(:rows) AS x(s uuid, m int, n int, k int)
    ON CONFLICT (series, minute) DO UPDATE
   SET value = buckets.value + excluded.value, critical = buckets.critical + excluded.critical, updated_at = now();
"""
UPDATE = """
UPDATE incidents AS i
   SET status = st, prior_status = wa, severity = sv, last_seen_at = minute_start(se), peak = pk, event_count = n,
       last_event_at = minute_start(l), kept = k, resolved_at = minute_start(re),
       resolved_by_person_at = minute_start("by"), reopened_at = minute_start(ro)
  FROM json_to_recordset(:rows)
    AS x(id uuid, st text, wa text, sv text, se int, pk int, n bigint, l int, k int, re int, "by" int, ro int)
 WHERE i.id = x.id;
"""
# Whoever inserted an incident made its AI job, in the same statement; who opened it sends the notice.
OPEN = """
WITH new AS (
    INSERT INTO incidents (id, series, org_id, project_id, environment, fingerprint, service, route, error_code, rule,
           title, status, prior_status, severity, opened_at, last_seen_at, resolved_at, resolved_by_person_at,
           reopened_at, window_minutes, observed, baseline, peak, event_count, last_event_at, kept, recurrence_of)
    SELECT x.id, s.id, org_id, project_id, environment, fingerprint, service, route, error_code, ru,
           ti, st, wa, sv, minute_start(op), minute_start(se), minute_start(re), minute_start("by"),
           minute_start(ro), wm, ob, ba, pk, x.n, minute_start(l), k, rc
      FROM json_to_recordset(:rows)
        AS x(id uuid, q int, s uuid, ru text, ti text, st text, wa text, sv text, op int, se int, re int, "by" int,
             ro int, wm int, ob int, ba int, pk int, n bigint, l int, k int, rc uuid)
      JOIN series s ON s.id = x.s
     ORDER BY x.q
    RETURNING id)
INSERT INTO ai_jobs (incident_id, notified_at) SELECT id, now() FROM new RETURNING 'job', id::text;
"""
MOVE = """
UPDATE series AS s
   SET newest = n, judged = j, incident = i, newest_occurred = coalesce(o, newest_occurred),
       newest_received = coalesce(r, newest_received), stream = coalesce(t, stream), partition = coalesce(p, partition),
       calm_from = coalesce((c->>0)::int, calm_from), calm_to = coalesce((c->>1)::int, calm_to),
       calm_base = coalesce((c->>2)::int, calm_base)
  FROM json_to_recordset(:rows)
    AS x(s uuid, n int, j int, i uuid, o timestamptz, r timestamptz, t text, p int, c json)
 WHERE s.id = x.s;
"""
KEEP = """
INSERT INTO incident_events AS e
       (incident_id, slot, event_id, occurred_at, event_type, severity, message, attributes_json)
SELECT i, s, x.e, o, y, v, m, a
  FROM json_to_recordset(:rows)
    AS x(i uuid, s int, e uuid, o timestamptz, y text, v text, m text, a jsonb)
    ON CONFLICT (incident_id, slot) DO UPDATE
   SET event_id = excluded.event_id, occurred_at = excluded.occurred_at, event_type = excluded.event_type,
       severity = excluded.severity, message = excluded.message, attributes_json = excluded.attributes_json
 WHERE minute_of(e.occurred_at) <= minute_of(excluded.occurred_at);
"""
NOTE = """
INSERT INTO incident_timeline (incident_id, at, who, what, why, numbers)
SELECT i, coalesce(minute_start(m), now()), w, t, y, n
  FROM json_to_recordset(:rows) AS x(i uuid, m int, w text, t text, y text, n jsonb);
"""


def _differs(loaded: Loaded, played: Played, origin: Origin | None) -> bool:
    """Most batches leave a series where it was: then its row is not written."""
    state = loaded.state
    return (
        played.newest != state.newest
        or played.judged != state.judged
        or (played.incident and played.incident.id) != (state.incident and state.incident.id)
        or (origin is not None and origin.partition != loaded.partition)
        or loaded.calm is not None
    )


def _series(loaded: Loaded, played: Played, reached: Reached | None, origin: Origin | None) -> _Series:
    return _Series(
        loaded.id,
        played.newest,
        played.judged,
        played.incident.id if played.incident else None,
        reached.occurred_at if reached else None,
        reached.received_at if reached else None,
        origin.stream if origin else None,
        origin.partition if origin else None,
        loaded.calm,
    )


def _changing(
    one: Incident,
) -> tuple[str, str, str, str, int, int, int, int | None, int, int | None, int | None, int | None]:
    return (
        one.id,
        one.status,
        one.prior,
        one.severity,
        one.last_seen_at,
        one.peak,
        one.event_count,
        one.last_event_at,
        one.kept,
        one.resolved_at,
        one.by_person,
        one.reopened,
    )


def _new(one: Incident, order: int, series: str, title: str) -> _New:
    return _New(
        *_changing(one),
        order,
        series,
        one.rule,
        title,
        one.opened_at,
        MINUTES[one.rule],
        one.observed,
        one.hour,
        one.recurrence_of,
    )
