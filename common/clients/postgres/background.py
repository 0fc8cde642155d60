"""What Postgres knows about an incident, for its summary: one statement, every part of it bounded."""

from datetime import datetime
from uuid import UUID

import msgspec

from common.clients.postgres.connection import Connection
from common.summaries.background import Background

NEAR_MINUTES = 120  # deploys are near a start for so long
TOGETHER_MINUTES = 10


def load(conn: Connection, incident_id: UUID, now: datetime) -> Background:
    """At most 76 minutes, 100 kept events with 20 attributes each, 5 deploys, 5 incidents that began together."""
    [[text]] = conn.run(QUERY, incident=incident_id, near=NEAR_MINUTES, together=TOGETHER_MINUTES, now=now)
    return msgspec.json.decode(text, type=Background)


QUERY = """
    WITH i AS (SELECT *, (extract(epoch FROM opened_at) / 60)::int AS opened FROM incidents WHERE id = :incident)
    SELECT json_build_object(
        'incident', json_build_object(
            'id', i.id, 'org_id', i.org_id, 'project_id', i.project_id, 'environment', i.environment, 'rule', i.rule,
            'service', i.service, 'route', i.route, 'error_code', i.error_code, 'severity', i.severity,
            'title', i.title, 'opened_at', i.opened_at, 'last_seen_at', i.last_seen_at,
            'window_minutes', i.window_minutes, 'observed', i.observed, 'usual', i.usual, 'peak', i.peak,
            'event_count', i.event_count, 'last_event_at', i.last_event_at),
        'now', :now,
        'minutes', (SELECT coalesce(json_agg(json_build_array(b.minute, b.value) ORDER BY b.minute), '[]')
                      FROM buckets b
                     WHERE b.series = i.series AND b.minute BETWEEN i.opened - i.window_minutes - 59 AND i.opened),
        'newest', (SELECT newest FROM series WHERE id = i.series),
        'present', (SELECT coalesce(sum(b.value), 0) FROM buckets b JOIN series s ON s.id = b.series
                     WHERE b.series = i.series AND b.minute BETWEEN s.newest - i.window_minutes + 1 AND s.newest),
        'before', (SELECT json_build_object('id', p.id, 'opened_at', p.opened_at, 'last_seen_at', p.last_seen_at)
                     FROM incidents p WHERE p.id = i.recurrence_of),
        'together', (SELECT coalesce(json_agg(t ORDER BY opened_at, id), '[]') FROM (
            SELECT o.id, o.rule, o.route, o.error_code, o.opened_at FROM incidents o
             WHERE o.org_id = i.org_id AND o.project_id = i.project_id AND o.environment = i.environment
               AND o.id <> i.id AND o.opened_at BETWEEN i.opened_at - :together * interval '1 minute'
                                                    AND i.opened_at + :together * interval '1 minute'
             ORDER BY o.opened_at DESC, o.id LIMIT 5) t),
        'deploys', (SELECT coalesce(json_agg(d ORDER BY occurred_at DESC), '[]') FROM (
            SELECT event_id, occurred_at, service, release, message FROM deploys
             WHERE project_id = i.project_id AND environment = i.environment
               AND occurred_at BETWEEN i.opened_at - :near * interval '1 minute'
                                   AND i.opened_at + i.window_minutes * interval '1 minute'
             ORDER BY occurred_at DESC LIMIT 5) d),
        'events', (SELECT coalesce(json_agg(e ORDER BY occurred_at, slot), '[]') FROM (
            SELECT event_id, occurred_at, slot, severity, message,
                   (SELECT coalesce(json_object_agg(key, value), '{}') FROM (
                        SELECT key, value FROM jsonb_each_text(attributes_json) WHERE value IS NOT NULL
                         ORDER BY key NOT IN ('route', 'error_code', 'release', 'status_code', 'service', 'host'), key
                         LIMIT 20) a) AS attributes
              FROM incident_events WHERE incident_id = i.id) e)
    )::text FROM i
"""
