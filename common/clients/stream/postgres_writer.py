"""One commit of many publish calls, as one message; and what becomes of them when the database refuses it."""

from collections.abc import Sequence
from datetime import UTC, datetime

from pg8000.exceptions import DatabaseError

from common.clients.postgres.connection import Conflict, Connection
from common.clients.postgres.quoting import text
from common.clients.stream import Item, bodies, no_such_topic
from common.clients.stream.pending import Pending, end
from common.clients.stream.postgres_topics import counts, make_days
from common.errors import Unavailable

# The first commit holds the locks and does not wait for the disk; the second waits, and so for both. Nobody is told
# before that. All in one message: one round trip, and no client can stall in the middle.
BEGIN, COMMIT = "BEGIN;", "COMMIT;SELECT pg_logical_emit_message(true,'b','')"
REFUSED = (DatabaseError, Conflict)


class Call(Pending):
    """Its records are made ready by whoever calls, while the commit before it is on its way."""

    __slots__ = ("items", "ready", "since", "size", "topic")

    def __init__(self, topic: str, items: Sequence[Item], size: int, since: float) -> None:
        super().__init__()
        self.topic, self.items, self.size, self.since = topic, items, size, since
        self.ready = bodies.encoded(items)


class Writer:
    """Remembers how many partitions a topic has, so that a commit asks nothing."""

    def __init__(self) -> None:
        self._partitions: dict[str, int] = {}

    def write(self, conn: Connection, calls: list[Call]) -> None:
        """Every call has ended when this returns; if it raises `Unavailable`, nobody knows what became of the rest."""
        known = self._known(conn, calls)
        wrong = self._try(conn, known)
        if wrong and "no partition of relation" in str(wrong):
            wrong = _make_days(conn, known) or self._try(conn, known)
        if wrong:
            self._partitions.clear()
            for call in self._known(conn, known):
                self._write_alone(conn, call)

    def _write_alone(self, conn: Connection, call: Call) -> None:
        """Nobody pays for another's record; and what is no JSON to Postgres, whatever we thought, goes as base64."""
        wrong = self._try(conn, [call]) and self._try(conn, [call], plain=True)
        if wrong:
            end([call], Unavailable("Postgres", str(wrong)))

    def _known(self, conn: Connection, calls: list[Call]) -> list[Call]:
        """Those whose topic exists; the others end here."""
        if any(call.topic not in self._partitions for call in calls):
            self._partitions = counts(conn)
        for call in calls:
            if call.topic not in self._partitions:
                end([call], no_such_topic(call.topic))
        return unfinished(calls)

    def _try(self, conn: Connection, calls: list[Call], *, plain: bool = False) -> Exception | None:
        """What the database has against them; then none of them is written."""
        try:
            self._send(conn, calls, plain)
        except REFUSED as wrong:
            conn.rollback()
            return wrong
        except Unavailable:
            conn.rollback()  # the connection may live on, and must not be given back inside a failed transaction
            raise
        end(calls)
        return None

    def _send(self, conn: Connection, calls: list[Call], plain: bool) -> None:
        records: dict[str, list[bodies.Encoded]] = {}
        for call in calls:
            records.setdefault(call.topic, []).extend(bodies.encoded(call.items, plain=True) if plain else call.ready)
        appends = [
            append(topic, rows, short_lock=True)
            for topic in sorted(records)  # one order for every publisher, so that two never deadlock
            for rows in bodies.rows(records[topic], self._partitions[topic])
        ]
        if appends:
            conn.simple("".join([BEGIN, *appends, COMMIT]))


def append(topic: str, rows: list[bodies.Row], *, short_lock: bool) -> str:
    parts = ",".join(str(row.partition) for row in rows)
    counts = ",".join(str(row.records) for row in rows)
    texts = ",".join(text(row.body) for row in rows)
    names = f"{text(topic)},ARRAY[{parts}],ARRAY[{counts}]"
    return f"SELECT stream_append({names},ARRAY[{texts}]::json[],{short_lock});"


def unfinished(calls: list[Call]) -> list[Call]:
    return [call for call in calls if not call.done]


def _make_days(conn: Connection, calls: list[Call]) -> Exception | None:
    """No clock job has made the days ahead for two weeks, so this publisher does."""
    try:
        for topic in sorted({call.topic for call in calls}):
            make_days(conn, topic, datetime.now(UTC).date())
    except REFUSED as wrong:
        return wrong
    return None
