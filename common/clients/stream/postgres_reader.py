"""Reading the log in Postgres: one query asks for news of all partitions, one more brings them. No LISTEN."""

import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain, groupby, islice
from operator import itemgetter
from typing import NamedTuple

import msgspec

from common.clients.postgres.connection import Connection, Row
from common.clients.stream import Fenced, Overtaken, Recreated, bodies
from common.clients.stream.postgres_leases import BEGINNING, Lease, Leases
from common.clients.stream.postgres_news import News
from common.edge.records import Record
from common.errors import Unavailable
from common.settings import Postgres

ANSWER_SECONDS = 10.0

# Grows with every record of the topic: while it stays, there is no news, and this is all that idling asks.
NEWS = "SELECT sum(next)::bigint FROM stream_head WHERE topic = :topic"
HEADS = """
    SELECT part, low, next, ((clock_timestamp() AT TIME ZONE 'UTC')::date + 1)::text
      FROM stream_head WHERE topic = :topic
"""
# The first row of each partition always comes, however large. The body is made text at the very end: in the inner
# query, or before a sort, Postgres would unpack also those that are over the limits.
# A day's slack, because a clock that is set back may write yesterday after today.
LOG = """
    SELECT x.p, l.last, l.n, l.ms, l.day::text, l.body::text
      FROM json_to_recordset(:due) AS x(p int, o bigint) CROSS JOIN LATERAL (
        SELECT * FROM (
            SELECT r.*, sum(n) OVER w - n AS records_before, sum(bytes) OVER w - bytes AS bytes_before FROM (
                SELECT last, n, (extract(epoch FROM at) * 1000)::bigint AS ms, day, bytes, body
                  FROM stream_log
                 WHERE topic = :topic AND part = x.p AND last >= x.o
                   AND day BETWEEN :first::date - 1 AND :until::date
                 ORDER BY last LIMIT 200) r WINDOW w AS (ORDER BY last)) s
         WHERE records_before < :records AND bytes_before < :bytes) l
"""
COMMIT = """
    UPDATE stream_lease l SET next = c.n FROM json_to_recordset(:commits) AS c(p int, e bigint, n bigint)
     WHERE l.grp = :grp AND l.topic = :topic AND l.member = :member AND l.part = c.p AND l.epoch = c.e AND l.next <= c.n
    RETURNING l.part
"""


class Due(NamedTuple):
    """A partition with news: what is read of it, from where, and how far its log goes."""

    lease: Lease
    position: int
    high: int


class PostgresReader:
    """A member of a group. It has one connection, and its heart another."""

    def __init__(self, settings: Postgres, topic: str, group: str, news: News) -> None:
        self._settings, self._topic, self._group, self._news = settings, topic, group, news
        self._conn: Connection | None = None
        self._stir = threading.Event()  # set when there may be something to read
        self._leases = Leases(settings, topic, group, self._stir)
        self._positions, self._talking = threading.Lock(), threading.Lock()
        self._turn = 0
        self._total = 0
        self._seen: object = None
        self._quiet: object = None

    def read(self, max_records: int, max_bytes: int, timeout: float) -> list[Record]:
        until = time.monotonic() + timeout
        while True:
            self._stir.clear()
            records = self._read_now(max_records, max_bytes)
            left = until - time.monotonic()
            if records or left <= 0:
                return records
            self._news.wait(self._topic, self._total, self._stir, left)

    def commit(self, offsets: Mapping[int, int]) -> None:
        held = self._leases.held()
        # What this lease has never read, was read before a crash: the database may have lost it, and has given the
        # same numbers to others since.
        ours = [part for part, offset in offsets.items() if part in held and offset <= held[part].read]
        commits = [{"p": part, "e": held[part].epoch, "n": offsets[part]} for part in ours]
        with self._leases.statements:
            rows = self._run(COMMIT, commits=_json(commits), **self._leases.names)
        if lost := set(offsets) - {row[0] for row in rows}:
            raise Fenced(lost)

    def assigned(self) -> dict[int, int]:
        return {part: lease.next for part, lease in self._leases.held().items()}

    def pause(self, partition: int) -> None:
        self._change(partition, paused=True)

    def resume(self, partition: int) -> None:
        self._change(partition, paused=False)

    def seek(self, partition: int, offset: int) -> None:
        self._change(partition, next=offset, day=BEGINNING)

    def close(self) -> None:
        self._leases.leave()
        self._disconnect()

    def _change(self, partition: int, **fields: object) -> None:
        """Nothing, if the partition is not ours: whoever has it decides."""
        lease = self._leases.held().get(partition)
        with self._positions:
            for name, value in fields.items() if lease else ():
                setattr(lease, name, value)
        self._stir.set()

    def _read_now(self, max_records: int, max_bytes: int) -> list[Record]:
        due, until = self._due()
        if not due:
            return []
        share = max(1, max_records // len(due))
        rows = self._fetch(due, until, share, max(1, max_bytes // len(due)))
        with self._positions:
            whole = [part for part in due if _whole(part, due[part], rows.get(part))]
            self._turn += 1  # who comes first changes, or a full batch would always leave the same ones out
            turn = self._turn % max(1, len(whole))
            order = whole[turn:] + whole[:turn]
            fair = (islice(_records(self._topic, part, due[part], rows[part]), share) for part in order)
            return _cut(chain.from_iterable(fair), due, max_records, max_bytes)

    def _due(self) -> tuple[dict[int, Due], str]:
        """The partitions of ours that have news, and the last day to look at."""
        held = self._leases.held()
        due: dict[int, Due] = {}
        if not held or not self._has_news(held):
            return due, ""
        heads = self._run(HEADS, topic=self._topic)
        for part, low, high, _ in heads:
            lease = held.get(part)
            if lease and not lease.paused:
                if lease.next == 0:
                    lease.next = low  # a group that never committed begins at the oldest record
                if lease.next > high:
                    raise Recreated(part, lease.next, high, self._reset(part))
                if lease.next < low:
                    raise Overtaken(part, lease.next, low)
                if lease.next < high:
                    due[part] = Due(lease, lease.next, high)
        self._quiet = None if due else self._seen
        return due, heads[0][3] if heads else ""

    def _has_news(self, held: dict[int, Lease]) -> bool:
        """Unless nothing was due when this was last asked, and since then nobody has published, sought or resumed."""
        [[self._total]] = self._run(NEWS, topic=self._topic)
        self._seen = (self._total, [(part, one.epoch, one.next, one.paused) for part, one in held.items()])
        return self._seen != self._quiet

    def _fetch(self, due: dict[int, Due], until: str, records: int, size: int) -> dict[int, list[Row]]:
        first = min(one.lease.day for one in due.values())
        rows = self._run(
            LOG,
            topic=self._topic,
            due=_json([{"p": part, "o": one.position} for part, one in due.items()]),
            first=first,
            until="infinity" if first == BEGINNING else until,
            records=records,
            bytes=size,
        )
        rows.sort(key=itemgetter(0, 1))
        return {part: list(group) for part, group in groupby(rows, key=itemgetter(0))}

    def _reset(self, part: int) -> str:
        where = f"grp = '{self._group}' AND topic = '{self._topic}' AND part = {part}"
        return f"UPDATE stream_lease SET next = 0 WHERE {where}"  # noqa: S608 - to be read by a person

    def _run(self, sql: str, **values: object) -> list[Row]:
        """After a lost connection, positions come from what is committed, never from memory."""
        with self._talking:
            try:
                if self._conn is None:
                    self._conn = Connection(self._settings, ANSWER_SECONDS)
                return self._conn.run(sql, **values)
            except Unavailable:
                self._leases.forget()
                self._disconnect()
                raise

    def _disconnect(self) -> None:
        if self._conn:
            self._conn.close()
        self._conn = None


def _whole(part: int, one: Due, rows: list[Row] | None) -> bool:
    """Offsets have no gaps: the first row holds the position, or somebody has dropped a table by hand."""
    if one.lease.next != one.position or one.lease.paused:
        return False  # sought or paused while the query ran
    first = rows[0][1] - rows[0][2] + 1 if rows else one.high
    if first <= one.position:
        return True
    if one.lease.day == BEGINNING:
        raise Overtaken(part, one.position, first)
    one.lease.day = BEGINNING  # or its days are out of order: next time all of them are looked at
    return False


def _records(topic: str, part: int, one: Due, rows: list[Row]) -> Iterator[Record]:
    """The records of these rows from the position on, up to a gap."""
    expected = one.position
    for _, last, n, at, day, body in rows:
        skip = expected - (last - n + 1)
        if skip < 0:
            return
        one.lease.day = day
        for stored in bodies.records(body)[skip:]:
            yield Record(topic, part, expected, at, stored.key, stored.value)
            expected += 1


def _cut(records: Iterable[Record], due: dict[int, Due], max_records: int, max_bytes: int) -> list[Record]:
    """As many as the limits allow, at least one; the positions move past those that are taken."""
    taken: list[Record] = []
    following: dict[int, int] = {}
    size = 0
    for record in records:
        size += len(record.key or b"") + len(record.value or b"")
        if taken and (len(taken) == max_records or size > max_bytes):
            break
        taken.append(record)
        following[record.partition] = record.offset + 1
    for part, offset in following.items():
        lease = due[part].lease
        lease.next, lease.read = offset, max(lease.read, offset)
    return taken


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()
