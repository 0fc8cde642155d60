"""What has outlived its time: days and weeks are dropped whole, buckets go in small batches."""

from datetime import date, datetime, timedelta

from common.clients.postgres import partitions
from common.clients.postgres.connection import Connection
from common.clients.postgres.partitions import AHEAD_DAYS, DAY, WEEK

AT_ONCE = 5_000


def activity(conn: Connection, today: date, keep: timedelta) -> int:
    return _roll(conn, "activity", DAY, today, keep)


def remembered_ids(conn: Connection, today: date, keep: timedelta) -> int:
    """A week goes when its last day is past the time; so an id is remembered for at least that long."""
    return _roll(conn, "remembered_ids", WEEK, today, keep)


def buckets(conn: Connection, before: datetime) -> int:
    """One batch of minutes nobody touched since, by `updated_at`: never history that is just being loaded, and never
    those of an incident that is not over. A series that loses minutes forgets what it knew of its calm.
    """
    query = """
        WITH old AS (
            SELECT b.series, b.minute FROM buckets b JOIN series s ON s.id = b.series
             WHERE b.updated_at < :before
               AND NOT EXISTS (SELECT FROM incidents i WHERE i.series = b.series AND i.status <> 'resolved')
             ORDER BY b.series LIMIT :limit FOR UPDATE OF s SKIP LOCKED),
        gone AS (
            DELETE FROM buckets b USING old WHERE b.series = old.series AND b.minute = old.minute RETURNING b.series),
        calm AS (
            UPDATE series SET calm_base = NULL
             WHERE id IN (SELECT series FROM gone) AND calm_base IS NOT NULL)
        SELECT count(*) FROM gone
    """
    with conn.transaction():
        conn.run("SET LOCAL enable_seqscan = off")  # old minutes lie together: BRIN finds them without reading the rest
        [[gone]] = conn.run(query, before=before, limit=AT_ONCE)
    return int(gone)


def _roll(conn: Connection, table: str, span: int, today: date, keep: timedelta) -> int:
    """Make the days to come, drop those past their time."""
    partitions.make(conn, table, span, today - timedelta(days=1), today + timedelta(days=AHEAD_DAYS))
    return len(partitions.drop_before(conn, table, span, today - keep))
