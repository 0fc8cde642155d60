"""Ids that callers chose themselves, remembered for at least a week, so that an event sent again is counted once."""

from collections.abc import Collection

from common.clients.postgres.quoting import render


def remembering(ids: Collection[str]) -> str:
    """Keep them in this week's partition, and say which were there already, in it or in one before that is still kept.

    Only under the locks of their partition and series: an id waits for nobody's but in the order of ids. The weeks
    before are asked id by id, so that they are never read whole, however few or many there are.
    """
    insert = """
        WITH this(week) AS MATERIALIZED (SELECT date_trunc('week', now() AT TIME ZONE 'UTC')::date),
             given AS MATERIALIZED (SELECT id FROM unnest(:ids::uuid[]) AS id),
             fresh AS MATERIALIZED (
                 SELECT id FROM given
                  WHERE (SELECT true FROM remembered_ids AS r
                          WHERE r.id = given.id AND r.week < (SELECT week FROM this) LIMIT 1) IS NULL),
             kept AS (
                 INSERT INTO remembered_ids (week, id) SELECT week, id FROM fresh, this
                  ORDER BY id ON CONFLICT DO NOTHING RETURNING id)
        SELECT 'repeated', string_agg(replace(id::text, '-', ''), ',') FROM given
         WHERE (SELECT count(*) FROM kept) < (SELECT count(*) FROM given)
           AND NOT EXISTS (SELECT FROM kept WHERE kept.id = given.id);
    """
    return render(insert, {"ids": f"{{{','.join(ids)}}}"})
