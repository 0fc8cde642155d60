-- Who owns what, and who may do what. Keys and tokens are stored as SHA-256 only, never as they were shown.
-- oldest release: 1

CREATE TABLE orgs (
    id text PRIMARY KEY CHECK (id ~ '^[a-z0-9_-]{1,64}$'),
    name text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE projects (
    id text PRIMARY KEY CHECK (id ~ '^[a-z0-9_-]{1,64}$'),
    org_id text NOT NULL REFERENCES orgs,
    name text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    events_per_minute int CHECK (events_per_minute > 0),  -- null: no limit
    UNIQUE (org_id, id)  -- so that other tables can promise that a project is the organisation's own
);

CREATE TABLE project_api_keys (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    project_id text NOT NULL REFERENCES projects,
    key_hash text NOT NULL UNIQUE CHECK (key_hash ~ '^[0-9a-f]{64}$'),
    name text NOT NULL DEFAULT '',
    created_at timestamptz NOT NULL DEFAULT now(),
    revoked_at timestamptz,
    last_used_at timestamptz
);
CREATE INDEX ON project_api_keys (project_id);

CREATE TABLE access_tokens (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    org_id text NOT NULL REFERENCES orgs,
    name text NOT NULL CHECK (name <> ''),
    role text NOT NULL CHECK (role IN ('viewer', 'responder', 'admin')),
    token_hash text NOT NULL UNIQUE CHECK (token_hash ~ '^[0-9a-f]{64}$'),
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz,
    revoked_at timestamptz,
    last_used_at timestamptz
);
CREATE INDEX ON access_tokens (org_id);

-- Instances of ingest take a minute's allowance from here, a tenth at a time.
CREATE TABLE allowances (
    project_id text PRIMARY KEY REFERENCES projects,
    minute int NOT NULL,
    taken int NOT NULL
) WITH (fillfactor = 20);
