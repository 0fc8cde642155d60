"""Project keys: whose they are, when they were last used, and how much of its minute a project has taken."""

import json
from collections.abc import Collection

import msgspec

from common.clients.postgres.connection import Connection


class Project(msgspec.Struct, frozen=True, gc=False):
    """Where a key's events belong, and how many a minute it may send (None: any number)."""

    id: str
    org_id: str
    events_per_minute: int | None


def projects_of(conn: Connection, digests: Collection[str]) -> dict[str, Project]:
    """The project of each key that is valid now; unknown and revoked ones are left out."""
    query = """
        SELECT k.key_hash, p.id, p.org_id, p.events_per_minute
          FROM json_array_elements_text(:digests) AS asked(digest)
          JOIN project_api_keys k ON k.key_hash = asked.digest AND k.revoked_at IS NULL
          JOIN projects p ON p.id = k.project_id
    """
    rows = conn.run(query, digests=json.dumps(list(digests)))
    return {digest: Project(*project) for digest, *project in rows}


def mark_used(conn: Connection, digests: Collection[str]) -> None:
    """Remember that these keys are in use; to the minute is exact enough, and saves most of the writing."""
    query = """
        UPDATE project_api_keys SET last_used_at = now()
         WHERE key_hash IN (SELECT json_array_elements_text(:digests))
           AND (last_used_at IS NULL OR last_used_at < now() - interval '1 minute')
    """
    conn.run(query, digests=json.dumps(list(digests)))


def take(conn: Connection, project_id: str, minute: int, wanted: int) -> int:
    """Take so much of this minute's allowance; answers what had been taken before, by whichever instance."""
    query = """
        INSERT INTO allowances AS a (project_id, minute, taken) VALUES (:project, :minute, :wanted)
        ON CONFLICT (project_id) DO UPDATE
           SET minute = :minute, taken = :wanted + CASE WHEN a.minute = :minute THEN a.taken ELSE 0 END
        RETURNING taken
    """
    [[taken]] = conn.run(query, project=project_id, minute=minute, wanted=wanted)
    return int(taken) - wanted
