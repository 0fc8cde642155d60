"""The demo organisation of a local stack: one project, one project key, one access token, made once and kept."""

import os

from common import credentials, settings
from common.clients.postgres.connection import Connection
from local import state

ORG = PROJECT = "demo"


def demo(where: settings.Postgres) -> dict[str, str]:
    """The key and token of .local/; valid in this database, whichever it is."""
    kept = state.recall("keys") or {
        "PROJECT_API_KEY": credentials.mint(credentials.PROJECT_KEY, os.urandom(24)),
        "ACCESS_TOKEN": credentials.mint(credentials.ACCESS_TOKEN, os.urandom(24)),
    }
    state.remember("keys", kept)
    conn = Connection(where)
    with conn.transaction():
        make(conn, kept["PROJECT_API_KEY"], kept["ACCESS_TOKEN"])
    conn.close()
    return dict(kept)


def make(conn: Connection, key: str, token: str) -> None:
    """Twice is once."""
    conn.run("INSERT INTO orgs (id, name) VALUES (:org, 'Demo') ON CONFLICT DO NOTHING", org=ORG)
    conn.run(
        "INSERT INTO projects (id, org_id, name) VALUES (:project, :org, 'Demo shop') ON CONFLICT DO NOTHING",
        project=PROJECT,
        org=ORG,
    )
    conn.run(
        "INSERT INTO project_api_keys (project_id, key_hash, name) VALUES (:project, :hash, 'local') "
        "ON CONFLICT DO NOTHING",
        project=PROJECT,
        hash=credentials.digest(key),
    )
    conn.run(
        "INSERT INTO access_tokens (org_id, name, role, token_hash) VALUES (:org, 'local', 'admin', :hash) "
        "ON CONFLICT DO NOTHING",
        org=ORG,
        hash=credentials.digest(token),
    )
