-- Events as they are searched where there is no OpenSearch.
-- oldest release: 1
-- No foreign keys: an event was its project's when it was accepted, and whole batches must stay cheap.

CREATE TABLE events (
    project_id text COLLATE "C" NOT NULL,
    event_id uuid NOT NULL,
    org_id text COLLATE "C" NOT NULL,
    at bigint NOT NULL,  -- occurred_at in milliseconds since 1970: the order of both engines
    received_at timestamptz NOT NULL,
    environment text NOT NULL,
    event_type text NOT NULL,
    severity text NOT NULL,
    route text COLLATE "C",
    words tsvector NOT NULL,  -- 'word':position; and '@org' and '=attribute=value' without one
    event json NOT NULL,  -- the envelope, byte for byte
    PRIMARY KEY (project_id, event_id)
);
CREATE INDEX ON events (org_id, at DESC, event_id DESC, project_id DESC);
CREATE INDEX ON events (received_at);  -- what is too old is deleted by it, a small batch at a time
CREATE INDEX ON events USING gin (words);
