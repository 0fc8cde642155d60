-- Publishing without taking one large JSON document apart: bodies come one by one, and are looked at once.
-- oldest release: 1
-- `stream_publish` stays for instances of an older release that run while this is applied.

-- The records of bodies[i], counts[i] many, are appended to partition parts[i], each partition once. The heads are
-- locked in one order, so that publishers never deadlock. With `short_lock` this transaction does not wait for the disk
-- while it holds them; the caller must then commit something that does (pg_logical_emit_message) before it tells anybody.
CREATE FUNCTION stream_append(t text, parts int[], counts int[], bodies json[], short_lock boolean) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    done int;
BEGIN
    IF short_lock THEN
        PERFORM set_config('synchronous_commit', 'off', true);
    END IF;
    WITH records AS MATERIALIZED (SELECT * FROM unnest(parts, counts, bodies) AS x(p, n, b)),
    locked AS MATERIALIZED (
        SELECT h.part FROM stream_head h WHERE h.topic = t AND h.part = ANY (parts)
         ORDER BY h.part FOR NO KEY UPDATE),
    moved AS (
        UPDATE stream_head h SET next = h.next + r.n
          FROM records r JOIN locked l ON l.part = r.p
         WHERE h.topic = t AND h.part = r.p
        RETURNING h.part, h.next, r.n, r.b)
    INSERT INTO stream_log (day, topic, part, last, n, at, bytes, body)
    SELECT (clock_timestamp() AT TIME ZONE 'UTC')::date, t, m.part, m.next - 1, m.n, clock_timestamp(),
           octet_length(m.b::text), m.b
      FROM moved m;
    GET DIAGNOSTICS done = ROW_COUNT;
    IF done <> cardinality(parts) THEN  -- the join above would drop an unknown or repeated partition silently
        RAISE 'stream_append: % of % partitions written (unknown or repeated)', done, cardinality(parts)
            USING ERRCODE = '22023';
    END IF;
END $$;

-- One heartbeat of a member of a group: it says that it lives, takes what is free up to its share, keeps what is its
-- own, and gives back what is over the share. Rows somebody else is taking are skipped, and the random choice keeps
-- members that beat at the same moment out of each other's way. A function, so that it is planned once a connection.
CREATE FUNCTION stream_beat(g text, t text, m uuid) RETURNS TABLE (part int, epoch bigint, next bigint, ours boolean)
LANGUAGE plpgsql AS $$
#variable_conflict use_column
BEGIN
    INSERT INTO stream_member VALUES (g, m, clock_timestamp())
        ON CONFLICT (grp, member) DO UPDATE SET seen = excluded.seen;
    RETURN QUERY
        WITH live AS MATERIALIZED (
            SELECT greatest(count(*), 1) AS n FROM stream_member
             WHERE grp = g AND seen > clock_timestamp() - interval '6 s'),
        share AS MATERIALIZED (
            SELECT ceil((SELECT count(*) FROM stream_lease WHERE grp = g AND topic = t)::numeric / n) AS s FROM live),
        mine AS MATERIALIZED (
            SELECT part, row_number() OVER (ORDER BY part) AS r FROM stream_lease
             WHERE grp = g AND topic = t AND member = m AND until > clock_timestamp()),
        free AS MATERIALIZED (
            SELECT part FROM stream_lease WHERE grp = g AND topic = t AND until <= clock_timestamp()
             ORDER BY random() LIMIT greatest((SELECT s FROM share) - (SELECT count(*) FROM mine), 0)
               FOR NO KEY UPDATE SKIP LOCKED)
        UPDATE stream_lease l
           SET member = m,
               epoch = CASE WHEN l.member = m AND l.until > clock_timestamp() THEN l.epoch ELSE l.epoch + 1 END,
               until = CASE WHEN x.r > (SELECT s FROM share) THEN '-infinity' ELSE clock_timestamp() + interval '6 s' END
          FROM (SELECT part, 0 AS r FROM free UNION ALL SELECT part, r FROM mine) x
         WHERE l.grp = g AND l.topic = t AND l.part = x.part AND (l.until <= clock_timestamp() OR l.member = m)
        RETURNING l.part, l.epoch, l.next, l.until > clock_timestamp();
END $$;
