-- Lists of what was resolved, the newest resolution first.
-- oldest release: 1

CREATE INDEX ON incidents (org_id, resolved_at, id) WHERE status = 'resolved';
