"""Deploys: what changed, beside what broke."""

from datetime import datetime

from common.clients.postgres.connection import Connection
from common.clients.postgres.paging import NUMBER, Page, page, read

LIST = """
    SELECT microseconds(d.occurred_at), d.id, (SELECT row_to_json(shown)::text FROM (
               SELECT d.event_id, d.org_id, d.project_id, d.environment, utc(d.occurred_at) AS occurred_at, d.service,
                      d.release, d.message) shown)
      FROM deploys d
     WHERE d.org_id = :org
       AND (:project::text IS NULL OR d.project_id = :project)
       AND (:environment::text IS NULL OR d.environment = :environment)
       AND (:since::timestamptz IS NULL OR d.occurred_at >= :since)
       AND (:until::timestamptz IS NULL OR d.occurred_at < :until)
       AND (:at::timestamptz IS NULL OR (d.occurred_at, d.id) < (:at, :id::bigint))
     ORDER BY d.occurred_at DESC, d.id DESC LIMIT :limit
"""


def found(
    conn: Connection,
    org: str,
    project: str | None = None,
    environment: str | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    limit: int = 50,
    cursor: str | None = None,
) -> Page:
    """Newest first."""
    key = read(cursor, NUMBER)
    narrowing = {"project": project, "environment": environment, "since": since, "until": until}
    return page(conn, LIST, limit, org=org, at=key.at, id=key.id, **narrowing)
