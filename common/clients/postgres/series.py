"""Series: the failing things that are counted by the minute. One row each, and its lock guards all that hangs on it.

The one order of locks, for engines, clock jobs and people: progress by partition, series by id, then everything else.
"""

from collections.abc import Collection

import msgspec

from common.clients.postgres.quoting import render
from common.events.identity import FINGERPRINT_VERSION, Fingerprint

# However little the planner knows of a table, or however few series there are: nothing is read from end to end.
BEGIN = "BEGIN; SET LOCAL enable_seqscan = off;"


class Series(msgspec.Struct, frozen=True, gc=False):
    """Where events of one kind are counted; `service` is that of the event which made it."""

    id: str  # 16 bytes, as hexadecimal digits
    org_id: str
    project_id: str
    environment: str
    metric: str
    fingerprint: Fingerprint
    service: str | None


def creating(series: Collection[Series]) -> str:
    """Make the rows that are missing; a project that is not there gets none."""
    insert = """
        INSERT INTO series (id, org_id, project_id, environment, metric_name, fingerprint, fingerprint_version,
                            service, error_code, route)
        SELECT x.id, o, p, e, m, f, :version, x.service, c, r
          FROM json_to_recordset(:rows)
            AS x(id uuid, o text, p text, e text, m text, f text, service text, c text, r text)
          JOIN projects ON projects.org_id = o AND projects.id = p
         ORDER BY x.id
            ON CONFLICT DO NOTHING;
    """
    rows = msgspec.json.encode([_row(one) for one in series]).decode()
    return render(insert, {"rows": rows, "version": FINGERPRINT_VERSION})


def locking(ids: Collection[str]) -> str:
    """A statement of its own: what the same statement read would be older than the lock it waited for."""
    lock = """
        SELECT 'series', count(*)
          FROM (SELECT FROM series WHERE id = ANY(:ids::uuid[]) ORDER BY id FOR NO KEY UPDATE) AS locked;
    """
    return render(lock, {"ids": f"{{{','.join(ids)}}}"})


def strangers(projects: Collection[tuple[str, str]]) -> str:
    """Which of these organisations and projects are not there."""
    query = """
        SELECT 'stranger', o, p FROM json_to_recordset(:pairs) AS x(o text, p text)
         WHERE NOT EXISTS (SELECT FROM projects WHERE projects.org_id = o AND projects.id = p);
    """
    pairs = msgspec.json.encode([{"o": org, "p": project} for org, project in projects]).decode()
    return render(query, {"pairs": pairs})


def _row(one: Series) -> dict[str, str | None]:
    return {
        "id": one.id,
        "o": one.org_id,
        "p": one.project_id,
        "e": one.environment,
        "m": one.metric,
        "f": one.fingerprint.text,
        "service": one.service,
        "c": one.fingerprint.error_code or None,
        "r": one.fingerprint.route or None,
    }
