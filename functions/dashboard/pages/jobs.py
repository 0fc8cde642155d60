"""AI jobs: what waits, runs, and failed, and why; the failed ones first."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from uuid import UUID

import msgspec

from common.clients.postgres import ai
from common.clients.postgres.ai import Narrowing
from common.clients.stream import notices
from common.errors import Problem
from functions.dashboard import stores
from functions.dashboard.serving import Asked, Done, Page, Sent

FAILED, OTHERS = 25, 25
NONE: tuple[list["Job"], None] = [], None
WAITING, IDLE = 10, 30  # seconds between refreshes, while a job waits and while none does


class Job(msgspec.Struct, frozen=True):
    """One row, as Postgres wrote it."""

    id: str
    incident_id: str
    incident_title: str
    project_id: str
    environment: str
    status: str
    attempt_count: int
    max_attempts: int
    run_after: datetime
    last_error: str | None
    created_at: datetime
    updated_at: datetime

    @property
    def attempt(self) -> int:
        """The attempt it is at, or was; only those that failed are counted in the database."""
        return self.attempt_count + (self.status != "failed")


def version(asked: Asked) -> object:
    return ai.changed_at(asked.conn, asked.reader.caller.org_id)


def values(asked: Asked) -> Mapping[str, object]:
    """A page further back is one of the failed, or one of the others."""
    reader, incident, cursor = asked.reader, incident_in(asked), asked.query.get("cursor")
    behind = asked.query.get("failed")
    day = ai.last_day(asked.conn, reader.caller.org_id, reader.now)
    bad, rest = Narrowing(status="failed", incident=incident), Narrowing(other_than="failed", incident=incident)
    failed, older_failed = NONE if cursor else listed(asked, bad, FAILED, behind)
    others, older = NONE if behind else listed(asked, rest, OTHERS, cursor)
    return {
        "day": day,
        "median": timedelta(seconds=day.median_seconds) if day.median_seconds is not None else None,
        "jobs": failed + others,
        "older_failed": older_failed,
        "older": older,
        "incident": incident,
        "every": WAITING if day.queued or day.running else IDLE,
    }


def listed(asked: Asked, narrowing: Narrowing, limit: int, cursor: str | None = None) -> tuple[list[Job], str | None]:
    page = ai.found(asked.conn, asked.reader.caller.org_id, narrowing, limit, cursor)
    return [msgspec.json.decode(item, type=Job) for item in page.items], page.next


def incident_in(asked: Asked) -> str | None:
    """The jobs of one incident only, if its page led here."""
    said = asked.query.get("incident")
    try:
        return str(UUID(said)) if said else None
    except ValueError:
        raise Problem("not_found", "There is no such incident.", status=404) from None


def retry(sent: Sent) -> Done:
    """A failed job waits again. Somebody else may have asked a moment before."""
    job, caller = sent.path["id"], sent.reader.caller
    with stores.database.connection() as conn:
        again = ai.retry(conn, caller.org_id, job, caller.name, sent.reader.now)
        if ai.job(conn, caller.org_id, job) is None:
            raise Problem("not_found", "There is no such job.", status=404)
    if not again:
        return Done("/jobs", "This job is no longer failed.")
    notices.wake(stores.stream(), [job])
    return Done("/jobs", "The job waits for its next try.")


page = Page("jobs.html", values, version)
