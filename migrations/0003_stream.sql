-- The event log, where there is no Kafka: dense offsets per partition, groups with leases, days that can be dropped.
-- oldest release: 1

-- The row lock on a head is held until the commit: that makes the order of commits the order of offsets, so that no
-- reader can pass a number whose record is still to come. Small pages, so that moving a head stays a HOT update.
CREATE TABLE stream_head (
    topic text NOT NULL,
    part int NOT NULL,
    low bigint NOT NULL DEFAULT 0,   -- the first offset retention has left
    next bigint NOT NULL DEFAULT 0,  -- the offset the next record gets
    CHECK (low BETWEEN 0 AND next),
    PRIMARY KEY (topic, part)
) WITH (fillfactor = 20, autovacuum_vacuum_threshold = 500, autovacuum_vacuum_scale_factor = 0);

-- One row holds all that one commit brought to one partition: offsets last - n + 1 to last, in the body's order.
-- A table per topic, because topics are kept for different times; in it one per day, because dropping is free.
CREATE TABLE stream_log (
    day date NOT NULL,
    topic text NOT NULL,
    part int NOT NULL,
    last bigint NOT NULL,
    n int NOT NULL CHECK (n > 0),
    at timestamptz NOT NULL,
    bytes int NOT NULL,  -- of the body, so that a reader can keep to a size without opening it
    body json NOT NULL,
    PRIMARY KEY (topic, part, last, day)
) PARTITION BY LIST (topic);

CREATE TABLE stream_member (
    grp text NOT NULL,
    member uuid NOT NULL,
    seen timestamptz NOT NULL,
    PRIMARY KEY (grp, member)
);

-- Who reads which partition, until when, and how far it got; `epoch` rises with every owner and fences the one before.
CREATE TABLE stream_lease (
    grp text NOT NULL,
    topic text NOT NULL,
    part int NOT NULL,
    member uuid,
    epoch bigint NOT NULL DEFAULT 0,
    until timestamptz NOT NULL DEFAULT '-infinity',
    next bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (grp, topic, part)
) WITH (fillfactor = 30);

-- [{p: partition, n: number of records, b: [records]}, …] -> the first offset of each. The heads are locked in one
-- order, so that publishers never deadlock. With `short_lock` this transaction does not wait for the disk while it
-- holds them; the caller must then commit something that does (pg_logical_emit_message) before it tells anybody.
CREATE FUNCTION stream_publish(t text, j json, short_lock boolean) RETURNS TABLE (p int, first bigint)
LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    done int;
BEGIN
    IF short_lock THEN
        PERFORM set_config('synchronous_commit', 'off', true);
    END IF;
    RETURN QUERY
        WITH records AS MATERIALIZED (SELECT * FROM json_to_recordset(j) AS x(p int, n int, b json)),
        locked AS MATERIALIZED (
            SELECT h.part FROM stream_head h
             WHERE h.topic = t AND h.part IN (SELECT r.p FROM records r)
             ORDER BY h.part FOR NO KEY UPDATE),
        moved AS (
            UPDATE stream_head h SET next = h.next + r.n
              FROM records r JOIN locked l ON l.part = r.p
             WHERE h.topic = t AND h.part = r.p
            RETURNING h.part, h.next, r.n, r.b),
        written AS (  -- the clock is read under the lock, so that it does not run backwards within a partition
            INSERT INTO stream_log (day, topic, part, last, n, at, bytes, body)
            SELECT (clock_timestamp() AT TIME ZONE 'UTC')::date, t, m.part, m.next - 1, m.n, clock_timestamp(),
                   octet_length(m.b::text), m.b
              FROM moved m)
        SELECT m.part, m.next - m.n FROM moved m;
    GET DIAGNOSTICS done = ROW_COUNT;
    IF done <> json_array_length(j) THEN  -- the join above would drop an unknown or repeated partition silently
        RAISE 'stream_publish: % of % partitions written (unknown or repeated)', done, json_array_length(j)
            USING ERRCODE = '22023';
    END IF;
END $$;
