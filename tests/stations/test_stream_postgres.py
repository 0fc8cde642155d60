"""What only the log in Postgres can get wrong: gaps, days, locks, and a database that refuses or goes away."""

import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from common.clients.postgres import partitions
from common.clients.postgres.connection import Connection
from common.clients.stream import Fenced, Recreated, bodies, postgres_topics
from common.errors import Unavailable
from tests import servers
from tests.streams import Engine, read, wait_for

TODAY = datetime.now(UTC).date()


@pytest.fixture
def engine() -> Iterator[Engine]:
    engine = Engine("postgres")
    yield engine
    engine.close()


@pytest.fixture
def conns(engine: Engine) -> Iterator[list[Connection]]:
    made = [Connection(engine.settings.database) for _ in range(3)]
    yield made
    for conn in made:
        conn.close()


def publish(conn: Connection, topic: str, value: int) -> None:
    """What a publisher sends, without its commit."""
    body = f'[{{"v":{value}}}]'
    conn.run("SELECT stream_append(:topic, ARRAY[0], ARRAY[1], ARRAY[:body]::json[], true)", topic=topic, body=body)


def test_a_slower_transaction_leaves_no_gap_a_reader_could_skip(engine: Engine, conns: list[Connection]) -> None:
    topic, (slow, quick, _) = engine.topic(), conns
    reader = engine.reader(topic)
    slow.simple("BEGIN")
    publish(slow, topic, 1)
    quick.simple("BEGIN")
    second = threading.Thread(target=publish, args=(quick, topic, 2))
    second.start()  # waits for the first to commit: that is what makes commits come in the order of offsets
    assert reader.read(10, 1000, 0.3) == []
    slow.simple("COMMIT")
    second.join()
    assert [(one.offset, one.value) for one in read(reader, 1)] == [(0, b"1")]
    quick.simple("COMMIT")
    assert [(one.offset, one.value) for one in read(reader, 1)] == [(1, b"2")]


def test_a_plain_sequence_does_leave_one(conns: list[Connection]) -> None:
    """The control of the test above: the same interleaving, on the log one writes first."""
    slow, quick, reader = conns
    reader.run("CREATE TABLE naive (id bigint GENERATED ALWAYS AS IDENTITY, value int)")
    slow.simple("BEGIN; INSERT INTO naive (value) VALUES (1)")
    quick.run("INSERT INTO naive (value) VALUES (2)")
    first = reader.run("SELECT id, value FROM naive WHERE id > 0 ORDER BY id")
    slow.simple("COMMIT")
    rest = reader.run("SELECT id, value FROM naive WHERE id > :after ORDER BY id", after=first[-1][0])
    assert (first, rest) == ([[2, 2]], [])  # 1 is there, and nobody will ever read it


def test_a_value_only_postgres_refuses_is_stored_all_the_same_and_fails_nobody_else(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bodies, "as_json", lambda value: value.decode())  # our own check would have seen it
    topic, stream = engine.topic(), engine.stream()
    values = [b"1", b'"\\u0000"', b"not json", b"2"]
    for pending in [stream.publish(topic, [(None, value)]) for value in values]:
        pending.wait()
    assert sorted(one.value or b"" for one in read(engine.reader(topic), 4)) == sorted(values)


def test_a_commit_with_an_old_epoch_is_refused_by_the_database(engine: Engine, conns: list[Connection]) -> None:
    topic = engine.topic()
    engine.stream().publish(topic, [(None, b"1")]).wait()
    reader = engine.reader(topic)
    assert len(read(reader, 1)) == 1
    conns[0].run("UPDATE stream_lease SET epoch = epoch + 1 WHERE topic = :topic", topic=topic)
    with pytest.raises(Fenced):
        reader.commit({0: 1})
    assert conns[0].run("SELECT next FROM stream_lease WHERE topic = :topic", topic=topic) == [[0]]


def test_a_member_that_cannot_reach_the_database_stops_before_its_lease_ends(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    reader = engine.reader(engine.topic())
    assert reader.assigned() == {0: 0}
    began = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: began + 5.5)
    assert reader.assigned() == {}


def test_after_a_lost_connection_a_reader_goes_on_from_what_is_committed(
    engine: Engine, conns: list[Connection]
) -> None:
    topic = engine.topic()
    engine.stream().publish(topic, [(None, b"%d" % n) for n in range(5)]).wait()
    reader = engine.reader(topic)
    assert len(read(reader, 5)) == 5
    reader.commit({0: 2})
    owner = servers.postgres().connect()
    database = engine.settings.database.database
    owner.run("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = :name", name=database)
    owner.close()
    with pytest.raises(Unavailable):
        reader.read(10, 1000, 0)
    wait_for(lambda: reader.assigned() == {0: 2}, 10)
    with pytest.raises(Fenced):
        reader.commit({0: 5})  # read before the crash: who knows whether the database still has it
    assert [one.offset for one in read(reader, 3)] == [2, 3, 4]


def test_a_topic_made_anew_is_told_and_never_read_past(engine: Engine, conns: list[Connection]) -> None:
    topic = engine.topic()
    engine.stream().publish(topic, [(None, b"1"), (None, b"2")]).wait()
    reader = engine.reader(topic)
    assert len(read(reader, 2)) == 2
    reader.commit({0: 2})
    conns[0].run("UPDATE stream_head SET next = 0, low = 0 WHERE topic = :topic", topic=topic)
    with pytest.raises(Recreated) as told:
        reader.read(10, 1000, 0)
    reader.close()
    conns[0].run(str(told.value).partition("Set the group back: ")[2])
    conns[0].run("DELETE FROM stream_log WHERE topic = :topic", topic=topic)
    engine.stream().publish(topic, [(None, b"anew")]).wait()
    assert [one.value for one in read(engine.reader(topic), 1)] == [b"anew"]


def test_a_restored_database_goes_on_under_the_name_that_it_had(engine: Engine, conns: list[Connection]) -> None:
    """Else nothing of it would be known to be counted, and the clock would wait for a record in every partition."""
    was = "postgres:7300000000000000001/signals"
    assert engine.stream().name != was
    conns[0].run("INSERT INTO progress (consumer, stream, topic, partition) VALUES ('engine', :was, 'raw', 0)", was=was)
    assert engine.stream().name == was
    conns[0].run("DELETE FROM progress")


def test_old_days_are_dropped_once_every_group_has_read_them(engine: Engine, conns: list[Connection]) -> None:
    topic, conn = engine.topic(), conns[0]
    old = TODAY - timedelta(days=9)
    partitions.make(conn, postgres_topics.table_of(topic), 1, old, TODAY)
    engine.stream().publish(topic, [(None, b"%d" % n) for n in range(4)]).wait()
    conn.run("UPDATE stream_log SET day = :old WHERE topic = :topic", old=str(old), topic=topic)
    engine.stream().publish(topic, [(None, b"today")]).wait()
    reader = engine.reader(topic, "slow")
    assert [one.offset for one in read(reader, 5)] == [0, 1, 2, 3, 4]
    reader.commit({0: 3})
    keep = TODAY - timedelta(days=7)
    held = postgres_topics.drop_old(conn, topic, keep)
    assert (held.days, held.held_by) == ([], ["slow"])
    reader.commit({0: 4})
    dropped = postgres_topics.drop_old(conn, topic, keep)
    assert dropped.days == [f"{postgres_topics.table_of(topic)}_{old + timedelta(days=n):%Y%m%d}" for n in (0, 1)]
    assert engine.stream().ends(topic) == {0: (4, 5)}
    late = engine.reader(topic, "new")
    assert [one.offset for one in read(late, 1)] == [4]
