"""Organisations: made and listed by an operator."""

from common.clients.postgres import audit
from common.clients.postgres.connection import Connection, Row


def create(conn: Connection, org: str, name: str, who: str) -> None:
    """Raises Conflict if the id is taken."""
    with conn.transaction():
        conn.run("INSERT INTO orgs (id, name) VALUES (:id, :name)", id=org, name=name)
        audit.record(conn, org, who, "created", "org", org, name=name)


def every(conn: Connection) -> list[Row]:
    return conn.run("SELECT id, name, utc(created_at) FROM orgs ORDER BY id")
