"""Project keys: whose they are, when they were last used, and how much of its minute a project has taken."""

from __future__ import annotations

import json
from collections.abc import Collection
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:  # ingest needs `Project` before it needs a database
    from common.clients.postgres.connection import Connection


class Project(msgspec.Struct, frozen=True, gc=False):
    """Where a key's events belong, and how many a minute it may send (None: any number)."""

    id: str
    org_id: str
    events_per_minute: int | None


class Taken(msgspec.Struct, frozen=True):
    """What had been taken of the minute before us, by whichever instance, and how long it still lasts."""

    before: int
    seconds_left: float


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


def mark_used(conn: Connection, digests: Collection[str]) -> int:
    """Remember that these keys are in use, to the minute; answers how many were written.

    A row somebody else holds is left out: it is being marked by another instance, or changed by a person.
    """
    query = """
        UPDATE project_api_keys SET last_used_at = now()
         WHERE id IN (SELECT id FROM project_api_keys
                       WHERE key_hash IN (SELECT json_array_elements_text(:digests))
                         AND (last_used_at IS NULL OR last_used_at < now() - interval '1 minute')
                         FOR NO KEY UPDATE SKIP LOCKED)
        RETURNING 1
    """
    return len(conn.run(query, digests=json.dumps(list(digests))))


def take(conn: Connection, project_id: str, wanted: int) -> Taken:
    """Take so much of this minute's allowance. The minute is the database's, so that all instances mean the same.

    Whoever waited for the row may find that the minute has turned, and then takes from the new one.
    """
    query = """
        INSERT INTO allowances AS a (project_id, minute, taken)
        VALUES (:project, floor(extract(epoch FROM now()) / 60), :wanted)
            ON CONFLICT (project_id) DO UPDATE
           SET (minute, taken) = (SELECT CASE WHEN same THEN a.minute ELSE excluded.minute END,
                                         CASE WHEN same THEN a.taken ELSE 0 END + :wanted
                                    FROM (SELECT a.minute - excluded.minute IN (0, 1)) AS is_the(same))
        RETURNING taken, 60 * (minute + 1) - extract(epoch FROM now())
    """
    [[taken, seconds_left]] = conn.run(query, project=project_id, wanted=wanted)
    return Taken(int(taken) - wanted, float(seconds_left))
