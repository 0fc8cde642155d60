"""One contract for streams, every case on the log in Postgres, on it through a transaction pooler, and on Kafka."""

import asyncio
import os
import random
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator

import pytest

from common.clients.stream import MAX_BYTES, Item, partition_of
from common.errors import Misconfigured, Problem
from tests import servers
from tests.streams import ENGINES, Engine, read, reading


@pytest.fixture(params=ENGINES)
def engine(request: pytest.FixtureRequest) -> Iterator[Engine]:
    engine = Engine(request.param)
    yield engine
    engine.close()


AWKWARD: list[Item] = [
    (None, None),
    (b"", b""),
    (b"null", b"null"),
    (b"json", b'{"b": 1,\t"a": [1e400, 1.0, "\xc3\xa9"], "a": "twice"}'),
    (b"quoted", b'{"it\'s": ":name, $1, %s, \\\\, \'\'"}'),
    (b"spaces", b' {"a": 1}\n'),
    (b"two values", b"1},{2"),
    (b"half a value", b'{"a": '),
    (b"escapes", b'["\\u0000", "\\ud800", "\\ud83d\\ude00", "\\n"]'),
    (b"not UTF-8", b'"\xff\xfe"'),
    (b"deep", b"[" * 50_000 + b"]" * 50_000),
    (b"NUL", b"\0"),
    (b"\0\xff", b"a key of bytes"),
    ("ключ'\\".encode(), b"a key of letters"),
    (b"random", random.Random(7).randbytes(4096)),
    (b"large", random.Random(8).randbytes(1024 * 1024)),
    (b"large JSON", b'{"a":"' + b"x" * 1024 * 1024 + b'"}'),
]


def test_what_was_published_is_read_byte_for_byte_and_each_key_in_its_partition(engine: Engine) -> None:
    topic, stream = engine.topic(5), engine.stream()
    stream.publish(topic, AWKWARD).wait()
    records = read(engine.reader(topic), len(AWKWARD))
    assert Counter((one.key, one.value) for one in records) == Counter(AWKWARD)
    assert all(one.partition == partition_of(one.key, 5) and one.topic == topic for one in records)
    assert all(one.headers == [] and one.timestamp > 1_700_000_000_000 for one in records)


def test_a_partition_keeps_the_order_of_publishing_and_counts_without_a_gap(engine: Engine) -> None:
    topic, stream = engine.topic(3), engine.stream()
    sent = [(b"%d" % (n % 7), b"%d" % n) for n in range(3000)]
    pending = [stream.publish(topic, sent[at : at + 50]) for at in range(0, len(sent), 50)]
    for one in pending:
        one.wait()
    records = read(engine.reader(topic), len(sent))
    for part in range(3):
        mine = [one for one in records if one.partition == part]
        assert [one.value for one in mine] == [value for key, value in sent if partition_of(key, 3) == part]
        assert [one.offset for one in mine] == list(range(len(mine)))


def test_a_reader_beside_many_publishers_misses_nothing(engine: Engine) -> None:
    topic, stream, other = engine.topic(2), engine.stream(), engine.stream()
    reader = engine.reader(topic)
    reading(reader, until=lambda: len(reader.assigned()) == 2)

    def publish(number: int) -> None:
        for n in range(40):
            (stream, other)[n % 2].publish(topic, [(b"%d" % i, b"%d-%d-%d" % (number, n, i)) for i in range(3)]).wait()

    threads = [threading.Thread(target=publish, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    records = read(reader, 8 * 40 * 3)
    for thread in threads:
        thread.join()
    assert Counter(one.value for one in records) == Counter(
        b"%d-%d-%d" % (number, n, i) for number in range(8) for n in range(40) for i in range(3)
    )
    for part in range(2):
        offsets = [one.offset for one in records if one.partition == part]
        assert offsets == list(range(len(offsets)))


def test_an_event_loop_awaits_hundreds_of_calls_at_once(engine: Engine) -> None:
    topic, stream = engine.topic(4), engine.stream()

    async def publish(n: int) -> None:
        await stream.publish(topic, [(b"%d" % n, b"%d" % n)])

    async def publish_all() -> None:
        await asyncio.gather(*(publish(n) for n in range(500)))

    asyncio.run(publish_all())
    asyncio.run(publish(500))  # another loop, as after a restart of a server
    assert Counter(one.value for one in read(engine.reader(topic), 501)) == Counter(b"%d" % n for n in range(501))


def test_nothing_to_publish_is_done_at_once(engine: Engine) -> None:
    engine.stream().publish(engine.topic(), []).wait()


def test_one_call_that_cannot_succeed_fails_alone(engine: Engine) -> None:
    topic, stream = engine.topic(), engine.stream()
    with pytest.raises(Problem, match=str(MAX_BYTES)):
        stream.publish(topic, [(b"a", b"a"), (b"b", b"x" * (MAX_BYTES + 1))])
    pending = [stream.publish(name, [(None, name.encode())]) for name in (topic, "nobody-made-this", topic)]
    pending[0].wait()
    pending[2].wait()
    with pytest.raises(Misconfigured, match=r"nobody-made-this.*migrations\.apply"):
        pending[1].wait()
    assert [one.value for one in read(engine.reader(topic), 2)] == [topic.encode()] * 2


def test_a_record_of_the_largest_size_goes_through(engine: Engine) -> None:
    topic = engine.topic()
    engine.stream().publish(topic, [(b"k", bytes(MAX_BYTES - 1))]).wait()
    [record] = read(engine.reader(topic), 1)
    assert record.value == bytes(MAX_BYTES - 1)


def test_a_topic_nobody_made_is_told_by_name(engine: Engine) -> None:
    for ask in (engine.stream().ends, lambda name: engine.stream().reader(name, "group")):
        with pytest.raises(Misconfigured, match=r"nobody-made-this.*migrations\.apply"):
            ask("nobody-made-this")


def test_ends_are_the_oldest_offset_and_the_next_one(engine: Engine) -> None:
    topic, stream = engine.topic(2), engine.stream()
    assert stream.ends(topic) == {0: (0, 0), 1: (0, 0)}
    stream.publish(topic, [(b"a", b"1"), (b"a", b"2")]).wait()
    assert stream.ends(topic) == {part: (0, 2 if part == partition_of(b"a", 2) else 0) for part in range(2)}


def test_a_scan_brings_what_was_there_when_it_began_in_order(engine: Engine) -> None:
    topic, stream = engine.topic(3), engine.stream()
    assert list(stream.scan(topic)) == []
    for at in range(0, 1200, 60):
        stream.publish(topic, [(b"%d" % (n % 7), b"%d" % n) for n in range(at, at + 60)]).wait()
    stream.publish(topic, AWKWARD).wait()
    scan = stream.scan(topic)
    found = [next(scan)]
    stream.publish(topic, [(b"%d" % n, b"late") for n in range(9)]).wait()
    found += scan
    by_group = sorted(read(engine.reader(topic), len(found) + 9), key=lambda one: (one.partition, one.offset))
    assert found == [one for one in by_group if one.value != b"late"]
    assert Counter((one.key, one.value) for one in found) == Counter(
        [(b"%d" % (n % 7), b"%d" % n) for n in range(1200)] + AWKWARD
    )


def test_a_scan_begins_behind_what_retention_took(engine: Engine) -> None:
    topic, stream = engine.topic(), engine.stream()
    stream.publish(topic, [(None, b"%d" % n) for n in range(20)]).wait()
    engine.delete_before(topic, 15)
    assert [one.offset for one in stream.scan(topic)] == list(range(15, 20))


def test_a_stream_is_known_by_its_cluster(engine: Engine) -> None:
    assert engine.stream().name == engine.stream().name != Engine("postgres").stream().name
    assert engine.stream().name.startswith("kafka:" if engine.kind == "kafka" else "postgres:")


def test_a_read_keeps_to_its_limits_and_loses_nothing_by_it(engine: Engine) -> None:
    topic = engine.topic(3)
    engine.stream().publish(topic, [(b"%d" % n, b"x" * 999) for n in range(200)]).wait()
    reader = engine.reader(topic)
    assert len(read(reader, 200)) == 200
    for part in range(3):
        reader.seek(part, 0)
    assert len(reader.read(10, 1, 5)) == 1  # larger than the limit, and yet it must come through
    records = reader.read(4, 1_000_000, 5)
    assert 1 <= len(records) <= 4
    while len(records) < 199:
        some = reader.read(10, 6000, 5)
        assert 1 <= len(some) <= 5  # of a thousand bytes and a key
        records += some
    places = Counter((one.partition, one.offset) for one in records)
    assert len(places) == len(records) == 199


def test_a_fork_publishes_for_itself(engine: Engine) -> None:
    topic = engine.topic()
    program = "\n".join(
        [
            "import os, sys",
            "from common import settings",
            "from common.clients.stream import stream_for",
            "stream = stream_for(settings.read(os.environ))",
            "stream.publish(sys.argv[1], [(None, b'before')]).wait()",
            "child = os.fork()",
            "stream.publish(sys.argv[1], [(None, b'parent' if child else b'child')]).wait()",
            "stream.ends(sys.argv[1])",
            "if child:",
            "    assert os.waitpid(child, 0)[1] == 0",
            "    stream.close()",
        ]
    )
    words = [sys.executable, "-W", "ignore", "-c", program, topic]
    done = subprocess.run(words, env=os.environ | engine.environ, cwd=servers.ROOT, timeout=30, check=False)
    assert done.returncode == 0
    assert {one.value for one in read(engine.reader(topic), 3)} == {b"before", b"parent", b"child"}
