"""Every hour: what has outlived its time is dropped, and the days to come are made. Twice at once is once."""

from collections.abc import Callable
from datetime import datetime, timedelta

from common import edge, log, settings
from common.clients import search
from common.clients.postgres import hours, pruning
from common.clients.postgres.connection import Connection
from common.clients.postgres.database import Database
from common.clients.stream import upkeep

BATCHES = 200  # at most so many at a time: the next hour goes on
database = Database(1)


def run(now: datetime) -> int:
    """Things gone: days and weeks, minutes, documents. Search comes last: it may be another store's outage."""
    ours, today = settings.current(), now.date()
    with database.connection() as conn:
        gone = drop_stream_days(conn, now)
        hours.sum_up(conn)
        gone += hours.prune(conn, today - timedelta(seconds=ours.keep.buckets))
        gone += pruning.activity(conn, today, timedelta(seconds=ours.keep.buckets))
        gone += pruning.remembered_ids(conn, today, timedelta(seconds=ours.keep.ids))
        before = now - timedelta(seconds=ours.keep.buckets)
        gone += until_done(lambda: pruning.buckets(conn, before))
    documents, old = search.search_for(ours, database), now - timedelta(seconds=ours.keep.events)
    return gone + until_done(lambda: documents.prune(old))


def drop_stream_days(conn: Connection, now: datetime) -> int:
    """Days nobody needs any more; one that a station has not read yet stays, and that is said."""
    days = 0
    for topic, dropped in upkeep.prune(conn, settings.current(), now.date()).items():
        days += len(dropped.days)
        if dropped.held_by:
            said = "prune: a day is kept for groups that have not read it"
            log.write("warn", said, topic=topic, groups=dropped.held_by)
    return days


def until_done(batch: Callable[[], int]) -> int:
    """Batch after batch until one finds nothing."""
    total = 0
    for _ in range(BATCHES):
        gone = batch()
        total += gone
        if not gone:
            break
    return total


asgi, gcp, aws, main = edge.clock(run)
