"""What ingest asks Postgres, on its two connections, from threads: the event loop never waits for a database."""

from collections.abc import Mapping
from contextlib import suppress

from common.clients.postgres import keys
from common.clients.postgres.database import Database
from common.clients.postgres.keys import Project
from common.errors import Unavailable

ANSWER_SECONDS = 2.0
_database = Database(2)


def projects_of(digests: list[str]) -> Mapping[str, Project]:
    """The projects of these keys; that they were used is noted on the side, and may fail."""
    with _database.connection() as conn:
        conn.answer_within(ANSWER_SECONDS)
        found = keys.projects_of(conn, digests)
        if found:
            with suppress(Unavailable):
                keys.mark_used(conn, found)
    return found


def take(project_id: str, minute: int, wanted: int) -> int:
    with _database.connection() as conn:
        conn.answer_within(ANSWER_SECONDS)
        return keys.take(conn, project_id, minute, wanted)
