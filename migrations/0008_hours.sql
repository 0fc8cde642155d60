-- What was counted on days that are over, by the hour, so that a month is read in a moment.
-- oldest release: 1

CREATE TABLE activity_hours (
    day date NOT NULL,  -- on which it was counted, as in activity: that day is over, and nothing changes any more
    org_id text NOT NULL,
    project_id text NOT NULL,
    environment text NOT NULL,
    event_type text NOT NULL,
    severity text NOT NULL,
    hour int NOT NULL,  -- unix time / 3600
    value bigint NOT NULL,
    PRIMARY KEY (org_id, hour, project_id, environment, event_type, severity, day) INCLUDE (value)
);
CREATE INDEX ON activity_hours USING brin (day);

-- The days that are in it. They are summed in their order, so the last one says it of all before.
CREATE TABLE activity_summed (
    day date PRIMARY KEY
);
