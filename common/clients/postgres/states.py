"""What the rules need of a series, read under its lock: where it stands, its newest incident, and few or no minutes.

Bucket rows are read only where a rule could hold, and travel only where it still could when they are read. For errors:
the batch and the counts bound every window from above; the usual is bounded from below, before the read by the floor
kept in the series row, after it by the part of the hour that all windows of the batch share. Counts only grow, so both
stay true, and whoever deletes buckets of a living series must set `calm_base` to null. For signups: is any minute newly
proven? No row is read twice but the five minutes of the first bound.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime

import msgspec

from common.clients.postgres.quoting import render
from common.detection.rules import DROP, SPIKE, Rule
from common.incidents.incident import Incident, Severity, Status
from common.incidents.state import State

RULES: dict[str, Rule] = {"error_count": SPIKE, "signup_count": DROP}
Calm = tuple[int, int, int]  # the hour before a window ending from the first to the second minute has so many


class Span(msgspec.Struct, frozen=True, gc=False):
    """What a batch brings to a series: so many events, from the first minute to the last."""

    k: int
    s: str
    n: int
    a: int
    z: int


class Loaded(msgspec.Struct, frozen=True):
    """A series as it was read. For a batch: where its events came from last (None: another stream) and how calm it is;

    for the clock and people: the times of the event that first reached the newest minute, and its environment.
    """

    id: str
    rule: Rule
    state: State
    partition: int | None = None
    calm: Calm | None = None
    newest_occurred: datetime | None = None
    newest_received: datetime | None = None
    environment: str = ""


class _Incident(msgspec.Struct, frozen=True, gc=False, array_like=True):
    id: str
    rule: Rule
    severity: Severity
    status: Status
    prior: Status
    recurrence_of: str | None
    numbers: tuple[int, int, int, int, int, int, int | None, int | None, int | None, int | None, int]


class _Read(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """One line as the statements below write it."""

    id: str
    metric: str
    newest: int | None
    judged: int | None
    incident: _Incident | None
    k: int
    values: list[int] | None
    criticals: list[int] | None
    partition: int | None = None
    calm: Calm | None = None
    occurred: datetime | None = None
    received: datetime | None = None
    environment: str = ""


# Arrays in the order of the fields they become. Few operators: planning them is half the cost of a small batch.
_SERIES = """
    '["' || replace(s.id::text, '-', '') || '","' || s.metric_name || '",' || coalesce(s.newest::text, 'null') || ','
    || coalesce(s.judged::text, 'null') || ',' || CASE WHEN i.id IS NULL THEN 'null' ELSE
      format('["%s","%s","%s","%s","%s",%s,%s]', i.id, i.rule, i.severity, i.status, i.prior_status,
             coalesce('"' || i.recurrence_of || '"', 'null'),
             array_to_json(ARRAY[minute_of(i.opened_at), minute_of(i.last_seen_at), i.observed, i.baseline, i.peak,
                                 i.event_count, minute_of(i.last_event_at), minute_of(i.resolved_at),
                                 minute_of(i.resolved_by_person_at), minute_of(i.reopened_at), i.kept])) END"""

_GATED = """
SELECT 'states', '[' || string_agg($series
       || ',' || r.k
       || ',' || CASE WHEN asks.any THEN coalesce('[' || rows.counts || ']', '[]') ELSE 'null' END
       || ',' || CASE WHEN asks.any THEN coalesce('[' || rows.criticals || ']', 'null') ELSE 'null' END
       || ',' || coalesce(CASE WHEN s.stream = :stream THEN s.partition END::text, 'null')
       || ',' || CASE WHEN t.error AND could.be AND NOT asks.any
                       AND (s.calm_from, s.calm_to, s.calm_base)
                           IS DISTINCT FROM (t.a, t.z + 10, coalesce(rows.floor, 0))
                      THEN '[' || t.a || ',' || t.z + 10 || ',' || coalesce(rows.floor, 0) || ']'
                      ELSE 'null' END
       || ']', ',') || ']'
  FROM json_to_recordset(:spans) AS r(k int, s uuid, n int, a int, z int)
  JOIN series s ON s.id = r.s
  LEFT JOIN incidents i ON i.id = s.incident
 CROSS JOIN LATERAL (  -- the windows this batch can ask end from a to z; the usual of an incident in its day
       SELECT s.metric_name = 'error_count' AS error, greatest(r.a, s.newest - 60) AS a,
              least(r.z + 4, greatest(s.newest, r.z)) AS z,
              CASE WHEN i.resolved_by_person_at IS NULL
                    AND minute_of(i.opened_at) + 1440 >= greatest(r.a, s.newest - 60)
                   THEN i.baseline END AS own OFFSET 0) t
  LEFT JOIN LATERAL (
       SELECT coalesce(sum(b.value), 0) + r.n AS most FROM buckets b
        WHERE b.series = r.s AND b.minute BETWEEN t.a - 4 AND t.z AND t.error) g ON true
 CROSS JOIN LATERAL (  -- thirty, and three times the kept floor; or a minute newly proven
       SELECT CASE WHEN t.error
                   THEN g.most >= 30
                        AND (s.calm_base IS NULL OR t.a < s.calm_from OR t.z > s.calm_to
                             OR g.most * 60 >= 3 * greatest(60, 5 * least(s.calm_base, t.own)))
                   ELSE s.judged IS NULL OR r.z > s.judged END AS be OFFSET 0) could
  LEFT JOIN LATERAL (
       SELECT sum(b.value) FILTER (WHERE b.minute BETWEEN t.z - 64 AND t.a - 5) AS common,
              sum(b.value) FILTER (WHERE b.minute BETWEEN t.z - 54 AND t.a - 5) AS floor,
              string_agg(b.minute || ',' || b.value, ',') AS counts,
              string_agg(b.minute || ',' || b.critical, ',') FILTER (WHERE b.critical > 0) AS criticals
         FROM buckets b
        WHERE b.series = r.s AND b.minute >= CASE WHEN t.error THEN t.a - 64 ELSE s.judged - 74 END AND could.be) rows
       ON true
 CROSS JOIN LATERAL (  -- three times what the hours of all these windows have in common
       SELECT could.be AND (NOT t.error OR g.most * 60
                            >= 3 * greatest(60, 5 * least(coalesce(rows.common, 0), t.own))) AS any) asks;
""".replace("$series", _SERIES)

_WHOLE = """
SELECT 'states', '[' || string_agg($series
       || ',0,' || coalesce('[' || rows.counts || ']', '[]')
       || ',' || coalesce('[' || rows.criticals || ']', 'null')
       || ',null,null,' || coalesce(to_json(s.newest_occurred)::text, 'null')
       || ',' || coalesce(to_json(s.newest_received)::text, 'null') || ',' || to_json(s.environment)
       || ']', ',' ORDER BY s.id) || ']'
  FROM series s
  LEFT JOIN incidents i ON i.id = s.incident
  LEFT JOIN LATERAL (
       SELECT string_agg(b.minute || ',' || b.value, ',') AS counts,
              string_agg(b.minute || ',' || b.critical, ',') FILTER (WHERE b.critical > 0) AS criticals
         FROM buckets b
        WHERE b.series = s.id
          AND b.minute >= least(s.judged - 74,
              CASE WHEN :reopening THEN 1 + minute_of(least(
                   greatest(i.last_seen_at, i.reopened_at) + interval '1 hour', i.resolved_by_person_at))
              END)) rows ON true
 WHERE s.id = ANY(:ids::uuid[]);
""".replace("$series", _SERIES)


def asking(spans: Sequence[Span], stream: str) -> str:
    """For a batch of the engine."""
    return render(_GATED, {"spans": msgspec.json.encode(spans).decode(), "stream": stream})


def asking_whole(ids: Iterable[str], *, reopening: bool = False) -> str:
    """For the clock and for people: the rows of `first_row`, on which no gate has an opinion."""
    return render(_WHOLE, {"ids": f"{{{','.join(ids)}}}", "reopening": reopening})


def read(answer: str | None) -> list[Loaded]:
    """What one of the two statements answered; of a batch in the order of its spans."""
    lines = _decode(answer) if answer else []
    return [_loaded(line) for line in sorted(lines, key=lambda line: line.k)]


_decode = msgspec.json.Decoder(list[_Read]).decode


def _loaded(line: _Read) -> Loaded:
    rule = RULES[line.metric]
    state = State(
        rule,
        line.newest,
        line.judged,
        _incident(line.incident) if line.incident else None,
        None if line.values is None else _pairs(line.values),
        _pairs(line.criticals or []),
    )
    return Loaded(line.id, rule, state, line.partition, line.calm, line.occurred, line.received, line.environment)


def _incident(one: _Incident) -> Incident:
    opened, seen, observed, hour, peak, events, last, resolved, by_person, reopened, kept = one.numbers
    return Incident(
        one.id,
        one.rule,
        opened,
        seen,
        one.severity,
        observed,
        hour,
        peak,
        events,
        last,
        one.status,
        one.prior,
        resolved,
        by_person,
        reopened,
        kept,
        one.recurrence_of,
    )


def _pairs(flat: list[int]) -> dict[int, int]:
    return dict(zip(flat[::2], flat[1::2], strict=True))
