"""A record that is buried in the middle of everything: it is counted, or it is a letter, and never both."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

import pytest

from common import settings, topics
from common.clients.postgres import letters, progress
from common.clients.postgres.connection import Connection
from common.clients.postgres.database import Database
from common.clients.postgres.progress import Source
from common.clients.stream import Item, dead
from common.clients.stream.pending import Pending
from common.clients.stream.postgres import PostgresStream
from common.edge.records import Record, Refused
from local.poller.burial import Burials
from local.poller.outcome import Buried, Taken, Unburied
from local.poller.stations import KNOWN

ENGINE = KNOWN["incident_engine"]
LETTER = dead.letter(
    ENGINE.name, Refused(Record(topics.RAW, 3, 7, 1, b"k", b"v"), "skipped", "it crashes"), datetime.now(UTC)
)


class Quick(PostgresStream):
    """While a letter is on its way, a try of its record that was still under way ends well: it is counted."""

    def publish(self, topic: str, items: Sequence[Item]) -> Pending:
        pending = super().publish(topic, items)
        with self._database.connection() as conn:
            assert progress.pass_over(conn, source(self), LETTER.partition, LETTER.offset, LETTER.timestamp)
        return pending


def source(stream: PostgresStream) -> Source:
    return Source(topics.INCIDENT_ENGINE, stream.name, topics.RAW)


@pytest.fixture
def stream(database: settings.Postgres) -> Iterator[PostgresStream]:
    made = PostgresStream(database)
    yield made
    made.close()


@pytest.fixture
def ours(database: settings.Postgres) -> Iterator[Database]:
    made = Database(1, lambda: database)
    yield made
    made.close()


def high(stream: PostgresStream) -> int:
    return sum(end for _, end in stream.ends(topics.DLQ).values())


def test_what_is_buried_will_never_be_counted(stream: PostgresStream, ours: Database, conn: Connection) -> None:
    assert Burials(stream, ours, ENGINE).bury(LETTER) == Buried()
    assert (high(stream), progress.counted(conn, source(stream))) == (1, {3: 8})
    assert conn.run("SELECT newest FROM progress") == [[LETTER.timestamp]]  # when it comes again, it is not a new topic
    assert letters.ends(conn, [LETTER.id]) == {}


def test_what_had_been_counted_is_not_buried(stream: PostgresStream, ours: Database, conn: Connection) -> None:
    progress.pass_over(conn, source(stream), 3, 7, 1)
    assert Burials(stream, ours, ENGINE).bury(LETTER) == Taken()
    assert high(stream) == 0


def test_what_is_counted_in_that_very_moment_leaves_a_letter_that_is_dropped(
    database: settings.Postgres, ours: Database, conn: Connection
) -> None:
    stream = Quick(database)
    assert Burials(stream, ours, ENGINE).bury(LETTER) == Buried()
    assert letters.ends(conn, [LETTER.id])[LETTER.id].how == "dropped"
    stream.close()


def test_where_the_engine_holds_the_place_it_is_tried_again(
    stream: PostgresStream, ours: Database, conn: Connection
) -> None:
    progress.pass_over(conn, source(stream), 3, 0, 1)
    with conn.transaction():
        conn.run("SELECT 1 FROM progress FOR UPDATE")
        assert isinstance(Burials(stream, ours, ENGINE).bury(LETTER), Unburied)
    assert Burials(stream, ours, ENGINE).bury(LETTER) == Buried()
    assert progress.counted(conn, source(stream)) == {3: 8}


def test_a_station_that_does_not_count_has_no_place_to_move(
    stream: PostgresStream, ours: Database, conn: Connection
) -> None:
    assert Burials(stream, ours, KNOWN["indexer"]).bury(LETTER) == Buried()
    assert conn.run("SELECT count(*) FROM progress") == [[0]]
