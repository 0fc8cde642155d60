-- What people and programs read and do through core_api and the dashboard.
-- oldest release: 1

-- A time as every answer writes it: RFC 3339, in UTC, with Z.
CREATE FUNCTION utc(t timestamptz) RETURNS text
    LANGUAGE sql STABLE AS $$ SELECT (to_json(t AT TIME ZONE 'UTC') #>> '{}') || 'Z' $$;
-- A page's place in time, exactly: microseconds since 1970.
CREATE FUNCTION microseconds(t timestamptz) RETURNS bigint
    LANGUAGE sql STABLE AS $$ SELECT (extract(epoch FROM t) * 1000000)::bigint $$;

-- Newest first, a page at a time, whatever a list is narrowed to: rows are read in proportion to rows shown.
DROP INDEX incidents_org_id_opened_at_id_idx;
CREATE INDEX ON incidents (org_id, opened_at, id);
CREATE INDEX ON incidents (org_id, opened_at, id) WHERE status <> 'resolved';
CREATE INDEX ON incidents (org_id, project_id, opened_at, id);
CREATE INDEX ON incidents (org_id, environment, opened_at, id);
CREATE INDEX ON incidents (org_id, severity, opened_at, id);
CREATE INDEX ON incidents (org_id, rule, opened_at, id);
CREATE INDEX ON deploys (org_id, occurred_at, id);
CREATE INDEX ON activity (org_id, minute);

-- Whose a job is, beside the job: else a page of one organisation's would read the jobs of all.
ALTER TABLE ai_jobs ADD COLUMN org_id text;
CREATE FUNCTION take_org() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.org_id := (SELECT org_id FROM incidents WHERE id = NEW.incident_id);
    RETURN NEW;
END $$;
CREATE TRIGGER takes_org BEFORE INSERT ON ai_jobs FOR EACH ROW EXECUTE FUNCTION take_org();
CREATE INDEX ON ai_jobs (org_id, created_at, id);
CREATE INDEX ON ai_jobs (org_id, status, created_at, id);
CREATE INDEX ON ai_jobs (org_id, updated_at);

-- Tokens and addresses that were refused too often wait; who guesses on waits twice as long each time.
CREATE TABLE sign_in_failures (
    who text PRIMARY KEY,  -- address:… or token:… with the token's first characters
    failures int NOT NULL,
    last_at timestamptz NOT NULL,
    wait_until timestamptz NOT NULL
) WITH (fillfactor = 50);
CREATE INDEX ON sign_in_failures (last_at);

-- Who made, revoked or took away what.
CREATE TABLE audit (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    org_id text NOT NULL REFERENCES orgs,
    at timestamptz NOT NULL DEFAULT now(),
    who text NOT NULL,  -- a token's name, or the operator at the command line
    what text NOT NULL CHECK (what IN ('created', 'revoked', 'exported')),
    kind text NOT NULL CHECK (kind IN ('org', 'project', 'key', 'token', 'events')),
    subject text NOT NULL,  -- its id
    details jsonb NOT NULL DEFAULT '{}'
);
CREATE INDEX ON audit (org_id, id);
