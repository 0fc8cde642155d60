"""One contract for groups that read a stream, on all engines: shares, commits, hand-over, what was deleted unread."""

import signal
import subprocess
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from common.clients.stream import Fenced, Overtaken, partition_of
from tests.streams import ENGINES, Engine, read, reading


@pytest.fixture(params=ENGINES)
def engine(request: pytest.FixtureRequest) -> Iterator[Engine]:
    engine = Engine(request.param)
    yield engine
    engine.close()


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
    try:
        with ThreadPoolExecutor(len(engines)) as pool:
            list(pool.map(hand_over, engines))
    finally:  # a member left behind would stand in the way of its group
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
