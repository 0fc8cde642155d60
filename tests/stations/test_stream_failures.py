"""What a caller hears when the stream's server is away, frozen, killed or wrongly set up, and what is kept even so."""

import signal
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress

import psutil
import pytest

from common import settings
from common.clients.postgres.connection import Connection
from common.clients.stream import Item, Stream, bodies, stream_for
from common.clients.stream.postgres_writer import append
from common.errors import Unavailable
from local.servers.kafka import KafkaServer
from local.servers.pooler import PoolerServer
from local.servers.postgres import DATABASE, ROLE, PostgresServer
from migrations.apply import apply, migrations
from tests import servers
from tests.streams import Engine, read, spare, wait_for

ONE: list[Item] = [(None, b"1")]
NOWHERE = {"postgres": {"DATABASE_URL": "postgresql://u@127.0.0.1:1/d"}, "kafka": {"KAFKA_BROKERS": "127.0.0.1:1"}}


@pytest.fixture(scope="module")
def postgres() -> PostgresServer:
    """With fsync, and a writer so lazy that whatever is not waited for is lost in a crash."""
    home = servers.home() / "servers" / "victim"
    server = servers.start(PostgresServer(home, wal_writer_delay="10s", wal_writer_flush_after="1GB"))
    owner = server.connect(ROLE, DATABASE)
    apply(owner, migrations())
    owner.close()
    return server


@pytest.fixture(params=["postgres", "kafka"])
def victim(request: pytest.FixtureRequest) -> PostgresServer | KafkaServer:
    server: PostgresServer | KafkaServer = (
        request.getfixturevalue("postgres") if request.param == "postgres" else spare().server
    )
    return server


@pytest.fixture
def engine(victim: PostgresServer | KafkaServer) -> Iterator[Engine]:
    engine = _engine(victim)
    yield engine
    engine.close()


@pytest.mark.parametrize("kind", NOWHERE)
def test_a_server_that_is_not_there_is_told_in_time(kind: str) -> None:
    stream = stream_for(settings.read(NOWHERE[kind]))
    call = stream.publish("t", ONE)
    for ask in (lambda: stream.ends("t"), call.wait):
        with pytest.raises(Unavailable, match="refused") as told:
            ask()
        assert told.value.what == kind.title()
    stream.close()


def test_a_frozen_server_is_told_in_time_and_works_again_when_it_thaws(
    victim: PostgresServer | KafkaServer, engine: Engine
) -> None:
    topic, stream = engine.topic(), engine.stream()
    stream.publish(topic, ONE).wait()
    frozen = _freeze(victim)
    try:
        calls = [stream.publish(topic, ONE) for _ in range(3)]
        for call in calls:
            with pytest.raises(Unavailable) as told:
                call.wait()
            assert "no answer within" not in str(told.value)  # that would be the caller's patience, not our answer
        with pytest.raises(Unavailable, match="wait"):
            _fill(stream, topic)
    finally:
        for one in frozen:
            one.resume()
    _until_it_works(lambda: stream.publish(topic, [(None, b"thawed")]).wait())
    reader = engine.reader(topic)
    while b"thawed" not in [record.value for record in read(reader, 1)]:
        pass


def test_a_kill_in_the_middle_loses_and_doubles_nothing_that_was_acknowledged(
    victim: PostgresServer | KafkaServer, engine: Engine
) -> None:
    topic, stream = engine.topic(2), engine.stream()
    acknowledged: list[bytes] = []
    after_the_kill = threading.Event()

    def publish(number: int) -> None:
        left, n = 20, 0
        while left:  # so many more once it is up again
            n += 1
            value = b"%d-%d" % (number, n)
            with suppress(Unavailable):
                stream.publish(topic, [(b"%d" % n, value)]).wait()
                acknowledged.append(value)
                left -= after_the_kill.is_set()

    threads = [threading.Thread(target=publish, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    wait_for(lambda: len(acknowledged) > 300, 30)
    _kill(victim)
    before = len(acknowledged)
    victim.start()
    after_the_kill.set()
    for thread in threads:
        thread.join()
    high = sum(high for _, high in engine.stream().ends(topic).values())
    found = Counter(one.value for one in read(engine.reader(topic), high))
    assert before > 300
    assert set(acknowledged) <= set(found)
    assert max(found.values()) == 1


def test_without_the_second_commit_a_kill_does_lose_records(postgres: PostgresServer) -> None:
    """The control of the test above: an answer before the barrier is an answer too early."""
    engine = _engine(postgres)
    topic = engine.topic()
    conn = Connection(engine.settings.database)
    conn.simple("SELECT pg_logical_emit_message(true, 'b', '')")  # the topic itself is safe
    for n in range(20):
        rows = [bodies.Row(0, 1, f'[{{"v":{n}}}]')]
        conn.simple(f"BEGIN;{append(topic, rows, short_lock=True)}COMMIT")
    _kill(postgres)
    conn.close()
    postgres.start()
    [(_, high)] = engine.stream().ends(topic).values()
    assert high < 20
    engine.close()


def test_a_pooler_in_the_wrong_mode_does_no_harm_to_a_stream_and_is_told_by_name_where_it_does() -> None:
    engine = Engine("postgres")
    topic, pooler = engine.topic(), PoolerServer(servers.home() / "wrong", servers.postgres(), mode="statement")
    pooler.start()
    engine.settings = settings.read({"DATABASE_URL": pooler.url(engine.settings.database.database)})
    engine.stream().publish(topic, ONE).wait()
    assert len(read(engine.reader(topic), 1)) == 1
    conn = Connection(engine.settings.database)
    with pytest.raises(Unavailable, match="statement pooling"), conn.transaction():
        pass
    conn.close()
    engine.close()
    pooler.stop()


def _engine(server: PostgresServer | KafkaServer) -> Engine:
    if isinstance(server, PostgresServer):
        return Engine("postgres", {"DATABASE_URL": server.url()})
    return Engine("kafka", {"KAFKA_BROKERS": server.brokers})


def _freeze(server: PostgresServer | KafkaServer) -> list[psutil.Process]:
    assert server.process
    parent = psutil.Process(server.process.pid)
    every = [parent, *parent.children(recursive=True)]
    for one in every:
        one.suspend()
    return every


def _fill(stream: Stream, topic: str) -> None:
    for _ in range(100):
        stream.publish(topic, [(None, bytes(1024 * 1024))])


def _kill(server: PostgresServer | KafkaServer) -> None:
    """As hard as each can be hit without leaving children behind: Postgres's own way to crash is SIGQUIT."""
    assert server.process
    server.process.popen.send_signal(signal.SIGQUIT if isinstance(server, PostgresServer) else signal.SIGKILL)
    server.process.popen.wait()


def _until_it_works(act: Callable[[], object]) -> None:
    def worked() -> bool:
        with suppress(Unavailable):
            act()
            return True
        return False

    wait_for(worked, 30)
