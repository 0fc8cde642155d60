"""One contract for streams, every case on the log in Postgres, on it through a transaction pooler, and on Kafka."""

import asyncio
import os
import random
import signal
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from common.clients.stream import MAX_BYTES, Fenced, Item, Overtaken, partition_of
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


def test_what_is_committed_is_where_the_next_member_begins(engine: Engine) -> None:
    topic = engine.topic()
    engine.stream().publish(topic, [(None, b"%d" % n) for n in range(10)]).wait()
    first = engine.reader(topic)
    assert len(read(first, 10)) == 10
    first.commit({0: 4})
    first.close()
    second = engine.reader(topic)
    assert [one.offset for one in read(second, 6)] == [4, 5, 6, 7, 8, 9]
    with pytest.raises(Fenced):
        second.commit({0: 3})  # an older commit must not win
    other = engine.reader(topic, "another group")
    assert [one.offset for one in read(other, 10)] == list(range(10))


def test_one_partition_stands_still_while_the_others_go_on(engine: Engine) -> None:
    topic, stream = engine.topic(2), engine.stream()
    keys = {partition_of(key, 2): key for key in (b"a", b"b", b"c", b"d")}
    reader = engine.reader(topic)
    reading(reader, until=lambda: len(reader.assigned()) == 2)
    reader.pause(0)
    stream.publish(topic, [(keys[n % 2], b"%d" % n) for n in range(20)]).wait()
    assert {one.partition for one in read(reader, 20, seconds=1)} == {1}
    reader.resume(0)
    assert [one.offset for one in read(reader, 10)] == list(range(10))
    reader.seek(0, 7)
    assert reader.assigned() == {0: 7, 1: 10}
    assert [(one.partition, one.offset) for one in read(reader, 3)] == [(0, 7), (0, 8), (0, 9)]
    reader.commit({0: 10, 1: 10})
    reader.pause(77)  # not ours: whoever has it decides
    reader.seek(77, 0)
    with pytest.raises(Fenced) as fenced:
        reader.commit({77: 1})
    assert fenced.value.partitions == {77}


def test_members_share_the_partitions_and_one_that_leaves_hands_over_at_once(engine: Engine) -> None:
    topic, stream = engine.topic(4), engine.stream()
    stream.publish(topic, [(b"%d" % n, b"%d" % n) for n in range(40)]).wait()
    first, second = engine.reader(topic), engine.reader(topic)

    def both_have_two() -> bool:
        return len(first.assigned()) == len(second.assigned()) == 2

    reading(first, second, until=both_have_two)
    assert set(first.assigned()) | set(second.assigned()) == {0, 1, 2, 3}
    leaving = second.assigned()
    second.close()
    reading(first, until=lambda: len(first.assigned()) == 4, seconds=5)
    assert all(first.assigned()[part] <= offset for part, offset in leaving.items())  # nothing of theirs was committed


def test_a_dead_and_a_frozen_member_lose_their_partitions_within_ten_seconds() -> None:
    """On all engines at the same time: it is mostly waiting."""
    engines = [Engine(kind) for kind in ENGINES]
    with ThreadPoolExecutor(len(engines)) as pool:
        list(pool.map(hand_over, engines))
    for engine in engines:
        engine.close()


def hand_over(engine: Engine) -> None:
    topic, stream = engine.topic(6), engine.stream()
    stream.publish(topic, [(b"%d" % n, b"%d" % n) for n in range(60)]).wait()
    dead, frozen, alive = engine.member(topic), engine.member(topic), engine.reader(topic)
    said: dict[int, list[str]] = {dead.pid: [], frozen.pid: []}
    for member in (dead, frozen):
        threading.Thread(target=_listen, args=(member, said[member.pid]), daemon=True).start()

    def two_each() -> bool:
        ends = [lines[-1].split() if lines else [] for lines in said.values()]
        return all(len(words) == 3 for words in ends) and len(alive.assigned()) == 2

    try:
        reading(alive, until=two_each, seconds=30)
        held = sorted(int(word) for word in said[frozen.pid][-1].split()[1:])
        dead.kill()
        frozen.send_signal(signal.SIGSTOP)
        reading(alive, until=lambda: len(alive.assigned()) == 6, seconds=10)
        _ask_to_commit(frozen)
        frozen.send_signal(signal.SIGCONT)
        reading(alive, until=lambda: len(answers(said[frozen.pid])) == 1)
        assert answers(said[frozen.pid]) == [" ".join(["fenced", *map(str, held)])]
        reading(alive, until=lambda: len(alive.assigned()) == 3)  # and it is welcome again
    finally:
        for member in (dead, frozen):
            member.kill()
            member.communicate()


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


def test_records_deleted_before_they_were_read_are_reported_and_the_reader_goes_on(engine: Engine) -> None:
    topic, stream = engine.topic(), engine.stream()
    stream.publish(topic, [(None, b"%d" % n) for n in range(10)]).wait()
    reader = engine.reader(topic)
    read(reader, 10)
    reader.commit({0: 3})
    reader.close()
    engine.delete_before(topic, 6)
    late = engine.reader(topic)
    for _ in range(2):  # until somebody has acted on it
        with pytest.raises(Overtaken) as overtaken:
            read(late, 1)
        assert (overtaken.value.partition, overtaken.value.position, overtaken.value.low) == (0, 3, 6)
    late.seek(0, overtaken.value.low)
    assert [one.offset for one in read(late, 4)] == [6, 7, 8, 9]
    assert stream.ends(topic) == {0: (6, 10)}
    assert [one.offset for one in read(engine.reader(topic, "new here"), 4)] == [6, 7, 8, 9]


def answers(said: list[str]) -> list[str]:
    return [line for line in said if not line.startswith("assigned")]


def _listen(member: "subprocess.Popen[str]", said: list[str]) -> None:
    assert member.stdout
    said.extend(line.strip() for line in member.stdout)


def _ask_to_commit(member: "subprocess.Popen[str]") -> None:
    assert member.stdin
    member.stdin.write("commit\n")
    member.stdin.flush()
