-- Records that break their station and with which their partition stands, and who had one skipped, and why.
-- oldest release: 1

CREATE TABLE poller_stops (
    station text NOT NULL,
    topic text NOT NULL,
    part int NOT NULL,
    at_offset bigint NOT NULL,
    tries int NOT NULL,
    error text NOT NULL,
    stopped_at timestamptz NOT NULL DEFAULT now(),
    seen_at timestamptz NOT NULL DEFAULT now(),  -- while it is stopped, its poller says so every minute
    skip_asked_at timestamptz,
    skip_by text,
    skip_why text,
    ended_at timestamptz,
    ended_how text CHECK (ended_how IN ('buried', 'answered')),
    PRIMARY KEY (station, topic, part, at_offset),
    CHECK (num_nulls(skip_asked_at, skip_by, skip_why) IN (0, 3)),
    CHECK (num_nulls(ended_at, ended_how) IN (0, 2))
);
