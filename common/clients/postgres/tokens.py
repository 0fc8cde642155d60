"""Access tokens: who may read and act, and how often somebody was refused who only tried."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

import msgspec

from common import credentials
from common.clients.postgres import audit
from common.clients.postgres.connection import Connection
from common.clients.postgres.paging import UUID, Beginning, Page, beginning, one, page, read
from common.errors import Problem
from common.incidents.timeline import CLOCK, ENGINE

ROLES = ("viewer", "responder", "admin")  # each may do what those before it may

SHOWN = """
    t.id, t.name, t.role, utc(t.created_at) AS created_at, utc(t.expires_at) AS expires_at,
    utc(t.revoked_at) AS revoked_at, utc(t.last_used_at) AS last_used_at"""
TOKENS = f"""
    SELECT microseconds(t.created_at), t.id::text, (SELECT row_to_json(shown)::text FROM (SELECT {SHOWN}) shown)
      FROM access_tokens t
     WHERE t.org_id = :org AND (:at::timestamptz IS NULL OR (t.created_at, t.id) < (:at, :id::uuid))
     ORDER BY t.created_at DESC, t.id DESC LIMIT :limit
"""  # noqa: S608 (column names)
# Those that are good first.
ALL_TOKENS = f"""
    SELECT (SELECT row_to_json(shown)::text FROM (SELECT {SHOWN}) shown), count(*) OVER ()
      FROM access_tokens t
     WHERE t.org_id = :org
     ORDER BY t.revoked_at IS NOT NULL, coalesce(t.expires_at <= :now, false), t.created_at DESC, t.id DESC
     LIMIT :limit
"""  # noqa: S608

FREE = 10  # refusals before waiting begins
LONGEST_WAIT = 900  # seconds


class Caller(msgspec.Struct, frozen=True):
    """Whose token it is. `name` is what the timeline says."""

    token_id: str
    org_id: str
    name: str
    role: str
    expires_at: datetime | None = None
    org_name: str = ""


class Looked(NamedTuple):
    """What is known of a token, or how long its bearer must wait before it is looked up."""

    caller: Caller | None
    wait_seconds: float = 0.0


def look_up(conn: Connection, digest: str, whos: Sequence[str]) -> Looked:
    """Whose token this is. An unknown one is counted for `whos`; who was refused too often is not even looked up."""
    if whos and (seconds := must_wait(conn, whos)):
        return Looked(None, seconds)
    caller = caller_of(conn, digest)
    if caller is None and whos:
        refused(conn, whos)
    return Looked(caller)


def caller_of(conn: Connection, digest: str) -> Caller | None:
    """The caller, if the token is not revoked. It is noted to the minute that it is in use."""
    query = """
        SELECT t.id::text, t.org_id, t.name, t.role, t.expires_at, o.name,
               t.last_used_at IS NULL OR t.last_used_at < now() - interval '1 minute'
          FROM access_tokens t JOIN orgs o ON o.id = t.org_id
         WHERE t.token_hash = :digest AND t.revoked_at IS NULL
    """
    for *fields, unmarked in conn.run(query, digest=digest):
        caller = Caller(*fields)
        if unmarked:
            mark_used(conn, caller.token_id)
        return caller
    return None


def mark_used(conn: Connection, token: str) -> None:
    """A row somebody else holds is left out: it is being marked, or revoked."""
    query = """
        UPDATE access_tokens SET last_used_at = now()
         WHERE id IN (SELECT id FROM access_tokens WHERE id = :token FOR NO KEY UPDATE SKIP LOCKED)
    """
    conn.run(query, token=token)


def must_wait(conn: Connection, whos: Sequence[str]) -> float:
    """How many seconds these must still wait; 0 if they need not."""
    query = """
        SELECT coalesce(max(extract(epoch FROM wait_until - now())), 0)
          FROM sign_in_failures WHERE who IN (SELECT json_array_elements_text(:whos))
    """
    [[seconds]] = conn.run(query, whos=_json(whos))
    return max(0.0, float(seconds))


def refused(conn: Connection, whos: Sequence[str]) -> None:
    """Count a refusal. Ten are free; each one after them waits twice as long, at most a quarter of an hour."""
    query = """
        DELETE FROM sign_in_failures WHERE last_at < now() - interval '1 day';
        INSERT INTO sign_in_failures AS f (who, failures, last_at, wait_until)
        SELECT who, 1, now(), now() FROM json_array_elements_text(:whos) AS these(who) ORDER BY who
            ON CONFLICT (who) DO UPDATE
           SET failures = f.failures + 1, last_at = now(),
               wait_until = CASE WHEN f.failures < :free THEN now() ELSE
                   now() + least(:longest, 2 ^ least(f.failures - :free, 20)) * interval '1 second' END
    """
    conn.run(query, whos=_json(whos), free=FREE, longest=LONGEST_WAIT)


def found(conn: Connection, org: str, limit: int, cursor: str | None) -> Page:
    key = read(cursor, UUID)
    return page(conn, TOKENS, limit, org=org, at=key.at, id=key.id)


def all_tokens(conn: Connection, org: str, now: datetime, limit: int) -> Beginning:
    return beginning(conn, ALL_TOKENS, org=org, now=now, limit=limit)


def create(
    conn: Connection, org: str, name: str, role: str, expires_at: datetime | None, who: str, random: bytes
) -> tuple[str, msgspec.Raw]:
    """The token, which nobody can read again, and the row that is kept."""
    if name.strip().lower() in (ENGINE, CLOCK):
        detail = f"In timelines {name.strip()} is nobody: it is what happens by itself. Choose another name."
        raise Problem("reserved_name", detail, field="name")
    secret = credentials.mint(credentials.ACCESS_TOKEN, random)
    query = """
        INSERT INTO access_tokens (org_id, name, role, expires_at, token_hash)
        VALUES (:org, :name, :role, :expires_at, :hash) RETURNING id::text
    """
    values = {"org": org, "name": name, "role": role, "expires_at": expires_at, "hash": credentials.digest(secret)}
    with conn.transaction():
        [[token]] = conn.run(query, **values)
        audit.record(conn, org, who, "created", "token", token, name=name, role=role)
        made = one_token(conn, org, token)
    assert made
    return secret, made


def revoke(conn: Connection, org: str, token: str, who: str) -> msgspec.Raw | None:
    """Twice is once. None if the organisation has no such token."""
    query = """
        UPDATE access_tokens SET revoked_at = now()
         WHERE org_id = :org AND id = :token AND revoked_at IS NULL RETURNING name
    """
    with conn.transaction():
        for [name] in conn.run(query, org=org, token=token):
            audit.record(conn, org, who, "revoked", "token", token, name=name)
        return one_token(conn, org, token)


def people(conn: Connection, org: str) -> list[str]:
    """Who can be assigned: the names of the tokens that are valid now."""
    query = """
        SELECT DISTINCT name FROM access_tokens
         WHERE org_id = :org AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > now()) ORDER BY name
    """
    return [name for [name] in conn.run(query, org=org)]


def one_token(conn: Connection, org: str, token: str) -> msgspec.Raw | None:
    query = f"SELECT row_to_json(shown)::text FROM (SELECT {SHOWN} FROM access_tokens t WHERE org_id = :org AND id = :id) shown"  # noqa: S608, E501
    return one(conn.run(query, org=org, id=token))


def _json(texts: Sequence[str]) -> str:
    return msgspec.json.encode(texts).decode()
