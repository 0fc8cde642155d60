"""Activity by the hour: each day that is over is summed once, and a month's trend reads its minutes no more."""

from datetime import date

from common.clients.postgres import partitions
from common.clients.postgres.connection import Connection

# An engine's transaction may have begun before midnight; none lasts an hour.
OVER = "SELECT (now() AT TIME ZONE 'UTC' - interval '1 hour')::date"
SUM = """
    INSERT INTO activity_hours (day, org_id, project_id, environment, event_type, severity, hour, value)
    SELECT day, org_id, project_id, environment, event_type, severity, floor(minute / 60.0)::int, sum(value)
      FROM activity WHERE day = :day::date GROUP BY 1, 2, 3, 4, 5, 6, 7
"""


def sum_up(conn: Connection) -> int:
    """The days that are over and not summed yet, in their order; answers how many. Twice at once is once."""
    [[today]] = conn.run(OVER)
    last = summed_until(conn)
    days = sorted(one.first for one in partitions.existing(conn, "activity") if one.attached)
    return sum(_sum_up(conn, day) for day in days if day < today and (last is None or day > last))


def summed_until(conn: Connection) -> date | None:
    [[day]] = conn.run("SELECT max(day) FROM activity_summed")
    return day if isinstance(day, date) else None


def prune(conn: Connection, before: date) -> int:
    """What was counted before this day."""
    query = """
        WITH gone AS (DELETE FROM activity_hours WHERE day < :day::date RETURNING 1),
             unmarked AS (DELETE FROM activity_summed WHERE day < :day::date)
        SELECT count(*) FROM gone
    """
    [[gone]] = conn.run(query, day=before.isoformat())
    return int(gone)


def _sum_up(conn: Connection, day: date) -> bool:
    mark = "INSERT INTO activity_summed (day) VALUES (:day::date) ON CONFLICT DO NOTHING RETURNING 1"
    with conn.transaction():
        mine = conn.run(mark, day=day.isoformat())  # waits for another who is at it
        if mine:
            conn.run(SUM, day=day.isoformat())
    return bool(mine)
