"""What a list of incidents says around its rows: how many there are, and what it can be narrowed to."""

from datetime import datetime

import msgspec

from common.clients.postgres.connection import Connection
from common.clients.postgres.paging import ask
from common.clients.postgres.rows import WHERE, Narrowed

MOST = 1_000  # nobody reads on after so many; counting more would cost each reader


class Project(msgspec.Struct, frozen=True):
    id: str
    name: str


class Known(msgspec.Struct, frozen=True):
    unresolved: int
    recent: int  # resolved since the time that was asked about
    resolved: int  # at most `MOST`
    projects: list[Project]


QUERY = f"""
    SELECT json_build_object(
        'unresolved', (SELECT count(*) FROM incidents i WHERE {WHERE} AND i.status <> 'resolved'),
        'recent', (SELECT count(*) FROM (
                       SELECT 1 FROM incidents i
                        WHERE {WHERE} AND i.status = 'resolved' AND i.resolved_at >= :since LIMIT {MOST}) r),
        'resolved', (SELECT count(*) FROM (
                         SELECT 1 FROM incidents i WHERE {WHERE} AND i.status = 'resolved' LIMIT {MOST}) r),
        'projects', (SELECT coalesce(json_agg(p ORDER BY name, id), '[]') FROM (
                         SELECT id, name FROM projects WHERE org_id = :org ORDER BY name, id LIMIT 500) p))::text
"""  # noqa: S608 (our own words)


def known(conn: Connection, org: str, narrowed: Narrowed, since: datetime) -> Known:
    [[text]] = ask(conn, QUERY, org=org, since=since, **narrowed._asdict())
    return msgspec.json.decode(text, type=Known)
