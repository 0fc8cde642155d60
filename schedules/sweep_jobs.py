"""Every second: AI jobs whose worker died are given back, and somebody is woken for those that are due."""

import random
from datetime import datetime, timedelta

import msgspec

from common import edge, topics
from common.clients import stream
from common.clients.postgres import jobs
from common.clients.postgres.database import Database
from common.metrics import names
from common.summaries import retry

database = Database(1)


def run(now: datetime) -> int:
    """The promise is the row; a notification that is lost here is repeated a minute later."""
    with database.transaction() as conn:
        expired = jobs.expire_leases(conn, now, wait_after)
        due = jobs.remind(conn, now)
    if due:
        notices = [msgspec.json.encode({"job_id": str(job)}) for job in due]
        stream.shared().publish(topics.AI_JOBS, [(notice, notice) for notice in notices]).wait()
        names.PUBLISHED.add(len(notices), topics.AI_JOBS)
    return expired + len(due)


def wait_after(attempts: int, most: int) -> timedelta | None:
    return retry.wait_after(attempts, most, random.random())  # noqa: S311 - only spreads the tries


asgi, gcp, aws, main = edge.clock(run)
