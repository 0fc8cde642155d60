-- What the AI worker needs: which job comes first, what was sent, what it cost, and what code found of the answer.
-- oldest release: 1

ALTER TABLE projects ADD COLUMN ai_tokens_per_day int CHECK (ai_tokens_per_day > 0);  -- null: MODEL_TOKENS_PER_DAY

ALTER TABLE ai_jobs
    ADD COLUMN urgency smallint NOT NULL DEFAULT 3,  -- 0 critical, 1 error, 2 warn, 3 no incident: a copy, kept below
    ADD COLUMN prompt text,  -- what was sent last, after masking
    ADD COLUMN prompt_at timestamptz;
-- The claim takes the first row of it, however many wait.
CREATE INDEX ON ai_jobs (urgency, run_after) WHERE status = 'queued';

ALTER TABLE ai_outputs
    ADD COLUMN facts_json jsonb NOT NULL DEFAULT '[]',  -- the numbered facts, each with what it refers to
    ADD COLUMN references_json jsonb NOT NULL DEFAULT '[]',  -- for each item of evidence: the facts it cites
    ADD COLUMN evidence_given int NOT NULL DEFAULT 0,
    ADD COLUMN evidence_held int NOT NULL DEFAULT 0,
    ADD COLUMN left_out jsonb NOT NULL DEFAULT '{}',  -- how many sentences, by field and reason; never their text
    ADD COLUMN input_tokens int,
    ADD COLUMN output_tokens int,
    ADD COLUMN cost numeric,  -- null: no price is configured
    ADD COLUMN seconds real;
-- A job has one plain summary, however often it is tried.
CREATE UNIQUE INDEX one_plain ON ai_outputs (job_id) WHERE model = 'plain';
CREATE UNIQUE INDEX one_answer ON ai_outputs (job_id) WHERE model <> 'plain';

-- Failed attempts cost too, so it is counted by call.
CREATE TABLE ai_spending (
    project_id text NOT NULL REFERENCES projects,
    day date NOT NULL,  -- UTC
    calls int NOT NULL DEFAULT 0,
    input_tokens bigint NOT NULL DEFAULT 0,
    output_tokens bigint NOT NULL DEFAULT 0,
    cost numeric NOT NULL DEFAULT 0,
    PRIMARY KEY (project_id, day)
);

-- With the severity beside the job, claiming the most severe of ten thousand reads one row instead of joining them all.
CREATE FUNCTION urgency_of(severity text) RETURNS smallint
    LANGUAGE sql IMMUTABLE AS $$ SELECT coalesce(array_position(ARRAY['critical', 'error', 'warn'], severity) - 1, 3) $$;

CREATE FUNCTION take_urgency() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.urgency := urgency_of((SELECT severity FROM incidents WHERE id = NEW.incident_id));
    RETURN NEW;
END $$;
CREATE TRIGGER takes_urgency BEFORE INSERT ON ai_jobs FOR EACH ROW EXECUTE FUNCTION take_urgency();

-- Queued jobs only: a running one is locked by whoever finishes it, and he writes the incident's title next.
CREATE FUNCTION pass_on_urgency() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE ai_jobs SET urgency = urgency_of(NEW.severity) WHERE incident_id = NEW.id AND status = 'queued';
    RETURN NULL;
END $$;
CREATE TRIGGER passes_on_urgency AFTER UPDATE OF severity ON incidents FOR EACH ROW
    WHEN (NEW.severity <> OLD.severity) EXECUTE FUNCTION pass_on_urgency();
