"""Topics made and kept: partitions that cannot change, days made ahead and dropped, and nobody waits for it."""

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from confluent_kafka.admin import ConfigResource

from common import settings
from common.clients.postgres import partitions
from common.clients.postgres.connection import Connection
from common.clients.stream import kafka_topics, postgres_topics, upkeep
from common.clients.stream.kafka_config import Admin
from common.errors import Misconfigured, Unavailable
from common.topics import AI_JOBS, DLQ, RAW
from migrations.prepare import prepare
from tests import servers
from tests.streams import ENGINES, Engine, read, wait_for

TODAY = datetime.now(UTC).date()


@pytest.fixture(params=ENGINES)
def engine(request: pytest.FixtureRequest) -> Iterator[Engine]:
    engine = Engine(request.param)
    yield engine
    engine.close()


def read_settings(engine: Engine, **more: str) -> settings.Settings:
    return settings.read(engine.environ | more)


def test_topics_are_made_once_and_their_partitions_never_change(engine: Engine, conn: Connection) -> None:
    for _ in range(2):
        prepare(conn, read_settings(engine), TODAY, ahead=1)
    stream = engine.stream()
    assert [len(stream.ends(topic)) for topic in (RAW, AI_JOBS, DLQ)] == [12, 3, 3]
    with pytest.raises(Misconfigured, match=r"has 12 partitions.*order.*Set STREAM_PARTITIONS=12"):
        upkeep.make(conn, read_settings(engine, STREAM_PARTITIONS="24"), TODAY)
    assert len(stream.ends(RAW)) == 12


def test_kafka_stamps_records_itself_and_keeps_them_as_long_as_the_settings_say() -> None:
    where = settings.read({"KAFKA_BROKERS": servers.broker().brokers}).kafka
    assert where
    for days in (7, 9):  # the second time it is there already
        kafka_topics.make(where, "kept", 2, days * 86_400)
    resource, admin = ConfigResource(ConfigResource.Type.TOPIC, "kept"), Admin(where)
    [found] = admin.client.describe_configs([resource]).values()
    said = {name: entry.value for name, entry in found.result(10).items()}
    assert said["message.timestamp.type"] == "LogAppendTime"
    assert said["retention.ms"] == str(9 * 86_400_000)


def test_days_are_made_ahead_and_dropped_by_the_clock_job(conn: Connection) -> None:
    config = settings.read({"KEEP_DEAD": "20d"})
    later = TODAY + timedelta(days=15)
    upkeep.prune(conn, config, later)
    # Those of today are past their seven days by then, and not past the twenty of dead letters.
    for topic, oldest in ((RAW, later - timedelta(days=1)), (DLQ, TODAY - timedelta(days=1))):
        days = [one.first for one in partitions.existing(conn, postgres_topics.table_of(topic))]
        assert (days[0], days[-1]) == (oldest, later + timedelta(days=14))


def test_a_publisher_makes_the_day_nobody_made() -> None:
    engine = Engine("postgres")
    conn = Connection(engine.settings.database)
    topic = engine.topic()
    table = postgres_topics.table_of(topic)
    for day in partitions.existing(conn, table):
        partitions.drop(conn, table, day)
    engine.stream().publish(topic, [(None, b"1")]).wait()
    assert len(read(engine.reader(topic), 1)) == 1
    conn.close()
    engine.close()


def test_making_and_dropping_days_waits_for_readers_but_no_publisher_waits_for_it() -> None:
    engine = Engine("postgres")
    conn, reading, ddl = (Connection(engine.settings.database) for _ in range(3))
    topic = engine.topic()
    table, old = postgres_topics.table_of(topic), TODAY - timedelta(days=9)
    partitions.make(conn, table, 1, old, old)
    reading.simple("BEGIN")
    reading.run(f"SELECT count(*) FROM {table}")
    dropping = threading.Thread(target=postgres_topics.drop_old, args=(ddl, topic, TODAY - timedelta(days=7)))
    dropping.start()
    stream = engine.stream()
    for _ in range(3):
        stream.publish(topic, [(None, b"meanwhile")]).wait(2)
        dropping.join(0.1)
    assert dropping.is_alive()  # it does wait for the one who reads
    reading.simple("COMMIT")
    dropping.join(10)
    assert old not in [one.first for one in partitions.existing(conn, table)]
    reading.simple("BEGIN")
    reading.run(f"SELECT count(*) FROM {table}")
    partitions.make(conn, table, 1, old, old)  # attaching does not
    stream.publish(topic, [(None, b"meanwhile")]).wait(2)
    for one in (conn, reading, ddl):
        one.close()
    engine.close()


def test_what_an_interrupted_drop_has_left_is_dropped_by_the_next(
    conn: Connection, database: settings.Postgres
) -> None:
    table, old = postgres_topics.table_of(RAW), TODAY - timedelta(days=30)
    partitions.make(conn, table, 1, old, old + timedelta(days=2))
    names = [one.name for one in partitions.existing(conn, table)][:3]
    conn.run(f"ALTER TABLE {table} DETACH PARTITION {names[1]} CONCURRENTLY")
    reading, ddl = Connection(database), Connection(database)
    reading.simple("BEGIN")
    reading.run(f"SELECT count(*) FROM {table}")
    detach = f"ALTER TABLE {table} DETACH PARTITION {names[2]} CONCURRENTLY"
    waiting = threading.Thread(target=_until_it_is_cut_off, args=(ddl, detach))
    waiting.start()
    cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query = :detach AND wait_event_type = 'Lock'"
    wait_for(lambda: bool(conn.run(cut, detach=detach)), 10)
    waiting.join()
    reading.simple("COMMIT")
    assert [one.detaching for one in partitions.existing(conn, table)][:3] == [False, False, True]
    assert partitions.drop_before(conn, table, 1, TODAY - timedelta(days=7)) == names
    assert not {one.name for one in partitions.existing(conn, table)} & set(names)
    reading.close()
    ddl.close()


def _until_it_is_cut_off(conn: Connection, statement: str) -> None:
    with pytest.raises(Unavailable):
        conn.run(statement)
