-- What the dashboard signs its cookies with, so that every instance believes the others'.
-- oldest release: 1

CREATE TABLE signing_secrets (
    purpose text PRIMARY KEY,
    secret text NOT NULL CHECK (length(secret) = 64),  -- 32 random bytes, made by whoever needs them first
    created_at timestamptz NOT NULL DEFAULT now()
);
