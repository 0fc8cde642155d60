"""What ingest asks Postgres, on at most three connections, from threads: the event loop never waits for a database.

Loaded when the first key must be looked up: pg8000 costs a cold start more than all the rest of ingest.
"""

from collections.abc import Mapping
from contextlib import suppress

from pg8000.exceptions import DatabaseError

from common.clients.postgres import keys
from common.clients.postgres.database import Database
from common.clients.postgres.keys import Project, Taken
from common.errors import Unavailable

ANSWER_SECONDS = 2.0
_keys, _allowances = Database(2), Database(1)  # a look-up never waits for what is noted on the side


def projects_of(digests: list[str]) -> Mapping[str, Project]:
    with _keys.connection() as conn:
        conn.answer_within(ANSWER_SECONDS)
        return keys.projects_of(conn, digests)


def mark_used(digests: list[str]) -> None:
    """On the side: whatever goes wrong with it, nobody's request does; the next look-up marks again."""
    with suppress(Unavailable, DatabaseError), _keys.connection() as conn:
        conn.answer_within(ANSWER_SECONDS)
        keys.mark_used(conn, digests)


def take(project_id: str, wanted: int) -> Taken:
    with _allowances.connection() as conn:
        conn.answer_within(ANSWER_SECONDS)
        return keys.take(conn, project_id, wanted)
