"""Stopped partitions: the poller writes them down and sees who wants a record skipped; people ask for it."""

from typing import NamedTuple

from common.clients.postgres.connection import Connection


class Stop(NamedTuple):
    """A record that keeps breaking its station, and with which its partition stands still."""

    station: str
    topic: str
    partition: int
    offset: int
    tries: int
    error: str


class Ask(NamedTuple):
    partition: int
    offset: int
    by: str
    why: str


def keep(conn: Connection, stop: Stop) -> None:
    """It stands, or still stands. A record that had ended begins anew, without the skip of that time."""
    query = """
        INSERT INTO poller_stops AS s (station, topic, part, at_offset, tries, error)
        VALUES (:station, :topic, :part, :offset, :tries, :error)
        ON CONFLICT (station, topic, part, at_offset) DO UPDATE
           SET tries = excluded.tries, error = excluded.error, seen_at = now(),
               stopped_at = CASE WHEN s.ended_at IS NULL THEN s.stopped_at ELSE now() END,
               skip_asked_at = CASE WHEN s.ended_at IS NULL THEN s.skip_asked_at END,
               skip_by = CASE WHEN s.ended_at IS NULL THEN s.skip_by END,
               skip_why = CASE WHEN s.ended_at IS NULL THEN s.skip_why END,
               ended_at = NULL, ended_how = NULL
    """
    conn.run(
        query,
        station=stop.station,
        topic=stop.topic,
        part=stop.partition,
        offset=stop.offset,
        tries=stop.tries,
        error=stop.error.replace("\0", "\\0"),
    )


def asked(conn: Connection, station: str) -> list[Ask]:
    """The records of this station that somebody wants skipped."""
    query = """
        SELECT part, at_offset, skip_by, skip_why FROM poller_stops
         WHERE station = :station AND skip_asked_at IS NOT NULL AND ended_at IS NULL
    """
    return [Ask(*row) for row in conn.run(query, station=station)]


def end(conn: Connection, stop: Stop, how: str) -> None:
    """It is over, and with it whatever stood before it in its partition."""
    query = """
        UPDATE poller_stops SET ended_at = now(), ended_how = :how
         WHERE station = :station AND topic = :topic AND part = :part AND at_offset <= :offset AND ended_at IS NULL
    """
    conn.run(query, how=how, station=stop.station, topic=stop.topic, part=stop.partition, offset=stop.offset)


def ask(conn: Connection, station: str, partition: int, offset: int, by: str, why: str) -> bool:
    """Have a stopped record skipped; False if none is stopped there."""
    query = """
        UPDATE poller_stops SET skip_asked_at = now(), skip_by = :by, skip_why = :why
         WHERE station = :station AND part = :part AND at_offset = :offset AND ended_at IS NULL RETURNING 1
    """
    return bool(conn.run(query, by=by, why=why, station=station, part=partition, offset=offset))


def ended(conn: Connection, station: str, partition: int, offset: int) -> str:
    """How it ended; empty while it stands."""
    query = """
        SELECT coalesce(ended_how, '') FROM poller_stops
         WHERE station = :station AND part = :part AND at_offset = :offset ORDER BY stopped_at DESC LIMIT 1
    """
    rows = conn.run(query, station=station, part=partition, offset=offset)
    return str(rows[0][0]) if rows else ""


def standing(conn: Connection) -> list[Stop]:
    """All that stand now."""
    query = """
        SELECT station, topic, part, at_offset, tries, error FROM poller_stops
         WHERE ended_at IS NULL ORDER BY station, part
    """
    return [Stop(*row) for row in conn.run(query)]
