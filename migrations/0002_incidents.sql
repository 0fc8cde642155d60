-- What is counted, what became of it, and what the model said.
-- oldest release: 1
-- A minute is a whole number, unix time / 60, wherever only the engine reads it; people query timestamps.

CREATE FUNCTION minute_start(minute int) RETURNS timestamptz
    LANGUAGE sql IMMUTABLE STRICT AS $$ SELECT to_timestamp(minute::float8 * 60) $$;
CREATE FUNCTION minute_of(start timestamptz) RETURNS int
    LANGUAGE sql STABLE STRICT AS $$ SELECT floor(date_part('epoch', start) / 60)::int $$;

CREATE TABLE series (
    id uuid PRIMARY KEY,  -- 16 bytes of SHA-256 over version, project, environment, metric, fingerprint
    org_id text NOT NULL,
    project_id text NOT NULL,
    environment text NOT NULL,
    metric_name text NOT NULL,
    fingerprint text NOT NULL,
    fingerprint_version int NOT NULL DEFAULT 1,
    service text,
    error_code text,  -- the fingerprint's readable parts
    route text,
    stream text,  -- the stream and partition its events come from: the gate of the clock jobs asks there
    partition int,
    newest int,  -- the newest minute, with the times of the FIRST event that reached it
    newest_occurred timestamptz,
    newest_received timestamptz,
    judged int,  -- the first minute not judged yet
    incident uuid,  -- its newest incident
    calm_from int,  -- the hour before any window ending in calm_from..calm_to sums to at least calm_base
    calm_to int,
    calm_base int,
    FOREIGN KEY (org_id, project_id) REFERENCES projects (org_id, id)
) WITH (fillfactor = 70);
CREATE INDEX ON series (project_id, environment, metric_name);  -- a fingerprint may be too long for an index row
CREATE INDEX ON series (id) WHERE metric_name = 'signup_count';  -- those the clock looks at for silence

-- No index on `value` or `critical`, so that counting stays a HOT update; BRIN is enough to prune by.
CREATE TABLE buckets (
    series uuid NOT NULL REFERENCES series,
    minute int NOT NULL,
    value int NOT NULL CHECK (value >= 0),
    critical int NOT NULL CHECK (critical BETWEEN 0 AND value),
    updated_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (series, minute)
) WITH (fillfactor = 80);
CREATE INDEX ON buckets USING brin (updated_at);

-- What other people's tools query.
CREATE VIEW metrics_buckets AS
    SELECT b.series || ':' || b.minute AS id, s.org_id, s.project_id, s.environment, s.metric_name, s.fingerprint,
           minute_start(b.minute) AS bucket_start, 60 AS bucket_seconds, b.value, b.critical, b.updated_at
      FROM buckets b JOIN series s ON s.id = b.series;

CREATE TABLE incidents (
    id uuid PRIMARY KEY,
    series uuid NOT NULL REFERENCES series,
    org_id text NOT NULL,
    project_id text NOT NULL,
    environment text NOT NULL,
    fingerprint text NOT NULL,
    rule text NOT NULL,
    service text,
    route text,
    error_code text,
    status text NOT NULL CHECK (status IN ('open', 'investigating', 'resolved')),
    prior_status text NOT NULL CHECK (prior_status IN ('open', 'investigating')),  -- restored if time resolved too early
    severity text NOT NULL CHECK (severity IN ('warn', 'error', 'critical')),
    title text NOT NULL,
    assignee text,
    opened_at timestamptz NOT NULL,
    last_seen_at timestamptz NOT NULL CHECK (last_seen_at >= opened_at),
    resolved_at timestamptz,
    resolved_by_person_at timestamptz,
    reopened_at timestamptz,
    window_minutes int NOT NULL,
    observed int NOT NULL,  -- the window's sum at the event that opened it
    baseline int NOT NULL,  -- the hour's sum before that window; an integer, so that every comparison is exact
    usual double precision NOT NULL GENERATED ALWAYS AS (baseline * window_minutes / 60.0) STORED,
    peak int NOT NULL,
    event_count bigint NOT NULL,
    last_event_at timestamptz,
    kept int NOT NULL DEFAULT 0,  -- representative events kept so far
    recurrence_of uuid REFERENCES incidents,
    created_at timestamptz NOT NULL DEFAULT now(),
    CHECK ((status = 'resolved') = (resolved_at IS NOT NULL)),
    FOREIGN KEY (org_id, project_id) REFERENCES projects (org_id, id)
) WITH (fillfactor = 70);
-- The promise everything else leans on: one incident at a time for one failing thing.
CREATE UNIQUE INDEX one_unresolved ON incidents (project_id, environment, md5(fingerprint)) WHERE status <> 'resolved';
CREATE INDEX ON incidents (org_id, opened_at DESC, id);
CREATE INDEX ON incidents (series);
ALTER TABLE series ADD FOREIGN KEY (incident) REFERENCES incidents;

CREATE TABLE incident_events (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    incident_id uuid NOT NULL REFERENCES incidents,
    slot int NOT NULL,  -- the first 50 by arrival, then one a minute for the last 50 minutes
    event_id uuid NOT NULL,
    occurred_at timestamptz NOT NULL,
    event_type text NOT NULL,
    severity text NOT NULL,
    message text NOT NULL,
    attributes_json jsonb NOT NULL,
    UNIQUE (incident_id, slot)
) WITH (fillfactor = 80);

CREATE TABLE incident_timeline (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    incident_id uuid NOT NULL REFERENCES incidents,
    at timestamptz NOT NULL,  -- series time
    done_at timestamptz NOT NULL DEFAULT now(),
    who text NOT NULL,
    what text NOT NULL,
    why text NOT NULL DEFAULT '',
    numbers jsonb
);
CREATE INDEX ON incident_timeline (incident_id, id);

CREATE TABLE ai_jobs (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    incident_id uuid REFERENCES incidents,  -- null: a later job type may have none
    job_type text NOT NULL DEFAULT 'incident_summary',
    status text NOT NULL DEFAULT 'queued' CHECK (status IN ('queued', 'running', 'succeeded', 'failed')),
    attempt_count int NOT NULL DEFAULT 0 CHECK (attempt_count BETWEEN 0 AND max_attempts),
    max_attempts int NOT NULL DEFAULT 3,
    run_after timestamptz NOT NULL DEFAULT now(),
    leased_until timestamptz,
    notified_at timestamptz,
    last_error text,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CHECK ((status = 'running') = (leased_until IS NOT NULL))
);
CREATE INDEX ON ai_jobs (run_after) WHERE status = 'queued';
CREATE INDEX ON ai_jobs (leased_until) WHERE status = 'running';
CREATE INDEX ON ai_jobs (incident_id);

CREATE TABLE ai_outputs (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    incident_id uuid NOT NULL REFERENCES incidents,
    job_id uuid REFERENCES ai_jobs,
    output_type text NOT NULL DEFAULT 'summary',
    model text NOT NULL,
    content_json jsonb NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX ON ai_outputs (incident_id, created_at DESC);

-- Every event, counted by the day it was counted on, so that a day can be dropped whole.
CREATE TABLE activity (
    day date NOT NULL,
    org_id text NOT NULL,
    project_id text NOT NULL,
    environment text NOT NULL,
    event_type text NOT NULL,
    severity text NOT NULL,
    minute int NOT NULL,
    value int NOT NULL,
    PRIMARY KEY (project_id, environment, event_type, severity, minute, day)
) PARTITION BY RANGE (day);

CREATE TABLE deploys (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    org_id text NOT NULL,
    project_id text NOT NULL,
    environment text NOT NULL,
    event_id uuid NOT NULL,
    occurred_at timestamptz NOT NULL,
    service text,
    release text,
    message text NOT NULL,
    UNIQUE (project_id, event_id),
    FOREIGN KEY (org_id, project_id) REFERENCES projects (org_id, id)
);
CREATE INDEX ON deploys (project_id, occurred_at);

-- Ids that callers chose themselves, per series; `id` is 16 bytes of SHA-256 over both. A week at a time.
CREATE TABLE remembered_ids (
    week date NOT NULL,
    id uuid NOT NULL,
    PRIMARY KEY (id, week)
) PARTITION BY RANGE (week);

-- How far each consumer has counted each partition of each stream, moved in the transaction that counts.
CREATE TABLE progress (
    consumer text NOT NULL,
    stream text NOT NULL,  -- engine, cluster or database id: another stream is another row
    topic text NOT NULL,
    partition int NOT NULL,
    next bigint NOT NULL DEFAULT 0,
    newest bigint,  -- the broker's time of the last record counted, in milliseconds; null where it means nothing
    missed bigint NOT NULL DEFAULT 0,  -- offsets that were passed over: skipped by somebody, or deleted unread
    at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (consumer, stream, topic, partition)
) WITH (fillfactor = 20);
