"""Projects of an organisation, and the keys that write into them."""

import re
from datetime import datetime
from typing import NamedTuple

import msgspec

from common import credentials
from common.clients.postgres import audit
from common.clients.postgres.connection import Connection
from common.clients.postgres.paging import LABEL, UUID, Beginning, Page, ask, beginning, one, page, read
from common.errors import Problem

PROJECT = "p.id, p.name, p.org_id, utc(p.created_at) AS created_at, p.events_per_minute, p.ai_tokens_per_day"
PROJECTS = f"""
    SELECT microseconds(p.created_at), p.id, (SELECT row_to_json(shown)::text FROM (SELECT {PROJECT}) shown)
      FROM projects p
     WHERE p.org_id = :org AND (:at::timestamptz IS NULL OR (p.created_at, p.id) < (:at, :id))
     ORDER BY p.created_at DESC, p.id DESC LIMIT :limit
"""  # noqa: S608 (column names)
KEY = """
    k.id, k.project_id, k.name, utc(k.created_at) AS created_at, utc(k.revoked_at) AS revoked_at,
    utc(k.last_used_at) AS last_used_at"""
KEYS = f"""
    SELECT microseconds(k.created_at), k.id::text, (SELECT row_to_json(shown)::text FROM (SELECT {KEY}) shown)
      FROM project_api_keys k JOIN projects p ON p.id = k.project_id
     WHERE p.org_id = :org AND p.id = :project
       AND (:at::timestamptz IS NULL OR (k.created_at, k.id) < (:at, :id::uuid))
     ORDER BY k.created_at DESC, k.id DESC LIMIT :limit
"""  # noqa: S608

# Of all projects at once, those that are good first.
ALL_KEYS = f"""
    SELECT (SELECT row_to_json(shown)::text FROM (SELECT {KEY}) shown), count(*) OVER ()
      FROM project_api_keys k JOIN projects p ON p.id = k.project_id
     WHERE p.org_id = :org
     ORDER BY k.revoked_at IS NOT NULL, k.created_at DESC, k.id DESC LIMIT :limit
"""  # noqa: S608
# Whether there is any is asked first, by the primary key: else a project that has sent nothing would have
# all that its organisation has sent read for it, every three seconds.
FIRST_COUNTED = """
    SELECT minute_start(minute), event_type, severity, environment FROM activity
     WHERE org_id = :org AND project_id = :project AND EXISTS (SELECT 1 FROM activity WHERE project_id = :project)
     ORDER BY activity.minute LIMIT 1
"""


class Counted(NamedTuple):
    """A minute in which events were counted, and what one of them was."""

    at: datetime
    event_type: str
    severity: str
    environment: str


def must_have(conn: Connection, org: str, project: str | None) -> None:
    """Somebody else's project and none at all are the same: not found."""
    if not project:
        return
    query = "SELECT 1 FROM projects WHERE org_id = :org AND id = :id"
    if not re.fullmatch(LABEL, project) or not ask(conn, query, org=org, id=project):
        raise Problem("not_found", "There is no such project.", status=404, field="project_id")


def found(conn: Connection, org: str, limit: int, cursor: str | None) -> Page:
    key = read(cursor, LABEL)
    return page(conn, PROJECTS, limit, org=org, at=key.at, id=key.id)


def create(conn: Connection, org: str, project: str, name: str, who: str) -> msgspec.Raw:
    """Raises Conflict if the id is taken, by whomever."""
    with conn.transaction():
        conn.run("INSERT INTO projects (id, org_id, name) VALUES (:id, :org, :name)", id=project, org=org, name=name)
        audit.record(conn, org, who, "created", "project", project, name=name)
        query = f"SELECT row_to_json(shown)::text FROM (SELECT {PROJECT} FROM projects p WHERE id = :id) shown"  # noqa: S608
        made = one(conn.run(query, id=project))
    assert made
    return made


def set_limits(
    conn: Connection, org: str, project: str, events_per_minute: int | None, ai_tokens_per_day: int | None, who: str
) -> None:
    """What it may send, and what its summaries may cost. None: no limit, and what all projects may."""
    must_have(conn, org, project)
    limits = {"events_per_minute": events_per_minute, "ai_tokens_per_day": ai_tokens_per_day}
    query = "UPDATE projects SET events_per_minute = :events_per_minute, ai_tokens_per_day = :ai_tokens_per_day "
    with conn.transaction():
        conn.run(query + "WHERE id = :id", id=project, **limits)
        audit.record(conn, org, who, "limited", "project", project, **limits)


def keys(conn: Connection, org: str, project: str, limit: int, cursor: str | None) -> Page:
    must_have(conn, org, project)
    key = read(cursor, UUID)
    return page(conn, KEYS, limit, org=org, project=project, at=key.at, id=key.id)


def all_keys(conn: Connection, org: str, limit: int) -> Beginning:
    return beginning(conn, ALL_KEYS, org=org, limit=limit)


def first_counted(conn: Connection, org: str, project: str) -> Counted | None:
    """The oldest minute that is kept of what a project has sent; None: it has sent nothing."""
    rows = ask(conn, FIRST_COUNTED, org=org, project=project)
    return Counted(*rows[0]) if rows else None


def create_key(conn: Connection, org: str, project: str, name: str, who: str, random: bytes) -> tuple[str, msgspec.Raw]:
    """The key, which nobody can read again, and the row that is kept."""
    must_have(conn, org, project)
    secret = credentials.mint(credentials.PROJECT_KEY, random)
    query = "INSERT INTO project_api_keys (project_id, key_hash, name) VALUES (:project, :hash, :name) "
    with conn.transaction():
        [[key]] = conn.run(query + "RETURNING id::text", project=project, hash=credentials.digest(secret), name=name)
        audit.record(conn, org, who, "created", "key", key, project_id=project, name=name)
        made = one_key(conn, org, project, key)
    assert made
    return secret, made


def revoke_key(conn: Connection, org: str, project: str, key: str, who: str) -> msgspec.Raw | None:
    """Twice is once. None if there is no such key in this project of theirs."""
    query = """
        UPDATE project_api_keys k SET revoked_at = now()
          FROM projects p
         WHERE p.id = k.project_id AND p.org_id = :org AND p.id = :project AND k.id = :key AND k.revoked_at IS NULL
        RETURNING k.name
    """
    with conn.transaction():
        for [name] in conn.run(query, org=org, project=project, key=key):
            audit.record(conn, org, who, "revoked", "key", key, project_id=project, name=name)
        return one_key(conn, org, project, key)


def one_key(conn: Connection, org: str, project: str, key: str) -> msgspec.Raw | None:
    query = f"""
        SELECT row_to_json(shown)::text
          FROM (SELECT {KEY} FROM project_api_keys k JOIN projects p ON p.id = k.project_id
                 WHERE p.org_id = :org AND p.id = :project AND k.id = :key) shown
    """  # noqa: S608
    return one(conn.run(query, org=org, project=project, key=key))
