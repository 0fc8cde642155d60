"""What the streams take and cost, as ratios and rates of one run: python -m local.bench.stream [postgres] [kafka]

Client and server share this machine. The log's rows need a Postgres with fsync on, made for this run and thrown away.
"""

import asyncio
import random
import shutil
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

from confluent_kafka import Producer

from common import settings
from common.clients.postgres.connection import Connection
from common.clients.stream import Item, Reader, Stream, bodies, kafka_topics, postgres_topics, stream_for
from common.clients.stream.postgres_writer import append
from local.bench import cpu
from local.bench.figure import Figure
from local.bench.run import Words, main
from local.servers import kafka
from local.servers.kafka import KafkaServer
from local.servers.postgres import DATABASE, ROLE, PostgresServer
from migrations.apply import apply, migrations

WORDS = ["payment", "card", "order", "refused", "timeout", "gateway", "retry", "customer", "basket", "stock", "coupon"]
CHANCE = random.Random(7)  # noqa: S311
PARTITIONS, TOPIC = 12, "bench"
KEYS = [b"org|project|E_%d|/api/checkout" % n for n in range(400)]
BATCHES = "batches of 100, eight in flight"
JARS = Path(__file__).parent.parent.parent / ".local" / "jars"


def an_event() -> bytes:
    """600 bytes, no two the same, that compress about as real ones do: ids are noise, the rest is words."""
    message = " ".join(CHANCE.choices(WORDS, k=20))
    identity = f'"event_id":"{CHANCE.randbytes(16).hex()}","trace_id":"{CHANCE.randbytes(16).hex()}"'
    attributes = f'"route":"/api/checkout","status_code":{CHANCE.randrange(400, 600)},"release":"2025.11.{number(99)}"'
    times = f'"occurred_at":"2025-11-25T10:{number(59):02}:{number(59):02}.{number(999999):06}Z"'
    text = f'{{{identity},"event_type":"error",{times},"message":"{message}","attributes":{{{attributes}}},"payload":"'
    return (text + " ".join(CHANCE.choices(WORDS, k=80)))[:598].encode() + b'"}'


def number(most: int) -> int:
    return CHANCE.randrange(most + 1)


EVENTS = [an_event() for _ in range(1000)]
VALUE = EVENTS[0]


def figures(words: Words) -> Iterator[Figure]:
    home = Path(tempfile.mkdtemp(prefix="signals-bench-"))
    home.chmod(0o755)
    try:
        if words.wants("postgres"):
            yield from bench_postgres(home, words)
        if words.wants("kafka") and not words.quick:
            yield from bench_kafka(home)
    finally:
        shutil.rmtree(home, ignore_errors=True)


def bench_postgres(home: Path, words: Words) -> Iterator[Figure]:
    server = PostgresServer(home / "servers" / "postgres")
    server.start()
    try:
        environ = {"DATABASE_URL": server.url()}
        conn = server.connect(ROLE, DATABASE)
        apply(conn, migrations())
        for topic in (TOPIC, "reading", "waking"):
            postgres_topics.make(conn, topic, PARTITIONS, datetime.now(UTC).date(), 1)
        conn.close()
        yield _coalescing(environ, words.rounds(3, 1))
        rate, cpu = _batches(environ, words.rounds(40, 10))
        yield Figure(what=f"Postgres log, {BATCHES}", value=rate, unit="events/s", target=60_000, cpu_us=cpu)
        yield _reading(environ, words.rounds(200_000, 40_000))
        yield from _waking(environ, server, words.rounds(8, 2), words.rounds(40, 10))
    finally:
        server.stop()


def bench_kafka(home: Path) -> Iterator[Figure]:
    server = KafkaServer(home / "servers" / "kafka", kafka.jars(JARS))
    server.start()
    try:
        environ = {"KAFKA_BROKERS": server.brokers}
        where = settings.read(environ).kafka
        assert where
        kafka_topics.make(where, TOPIC, PARTITIONS, 86_400)
        rate, cpu = _batches(environ, 100)
        bare = _library(server.brokers)
        note = f"{rate:,.0f} events/s; the baseline is the bare library with a callback each"
        yield Figure(
            what=f"Kafka, {BATCHES}", value=cpu, unit="µs of CPU", target=3.5, baseline=bare, most=True, note=note
        )
    finally:
        server.stop()


def _coalescing(environ: dict[str, str], rounds: int) -> Figure:
    """256 calls of one event at a time on one connection, against a transaction each on 32 connections."""
    together = max(_together(environ) for _ in range(rounds))
    alone = max(_alone(environ) for _ in range(rounds))
    what = "Postgres log, 256 calls of one event in flight"
    note = "one connection; the baseline is one transaction each on 32"
    return Figure(what=what, value=together, unit="events/s", baseline=alone, times=10, note=note)


def _together(environ: dict[str, str], seconds: float = 1.5) -> float:
    stream = stream_for(settings.read(environ))
    done = 0

    async def caller(number: int, until: float) -> None:
        nonlocal done
        while time.perf_counter() < until:
            await stream.publish(TOPIC, [(KEYS[(number + done) % 400], EVENTS[done % 1000])])
            done += 1

    async def callers() -> None:
        until = time.perf_counter() + seconds
        await asyncio.gather(*(caller(number, until) for number in range(256)))

    stream.publish(TOPIC, [(None, VALUE)]).wait()
    asyncio.run(callers())
    stream.close()
    return done / seconds


def _alone(environ: dict[str, str], seconds: float = 1.5) -> float:
    where = settings.read(environ).database
    counts = [0] * 32
    until = time.perf_counter() + 1 + seconds

    def publish(number: int) -> None:
        conn = Connection(where)
        while time.perf_counter() < until:
            record = bodies.encoded([(KEYS[(number + counts[number] * 7) % 400], EVENTS[number])])
            conn.simple(append(TOPIC, *bodies.rows(record, PARTITIONS), short_lock=False))
            counts[number] += time.perf_counter() > until - seconds
        conn.close()

    _threads(publish, 32)
    return sum(counts) / seconds


def _batches(environ: dict[str, str], calls: int) -> tuple[float, float]:
    """Batches of 100 with confirmation, eight in flight: events a second, and microseconds of this process's CPU."""
    stream = stream_for(settings.read(environ))
    batches = [[(KEYS[(n * 37 + at) % 400], EVENTS[(n * 7 + at) % 1000]) for at in range(100)] for n in range(64)]
    items: list[list[Item]] = [list(batch) for batch in batches]
    for batch in items[:8]:
        stream.publish(TOPIC, batch).wait()
    best_rate, best_cpu = 0.0, 1e9
    for _ in range(4):
        began, cpu = time.perf_counter(), time.process_time()
        asyncio.run(_publish_all(stream, items, calls))
        events = 8 * calls * 100
        best_rate = max(best_rate, events / (time.perf_counter() - began))
        best_cpu = min(best_cpu, (time.process_time() - cpu) / events * 1e6)
    stream.close()
    return best_rate, best_cpu


def _library(brokers: str) -> float:
    """The same records through the bare library with a callback each: what no design of ours can get below."""
    producer = Producer({"bootstrap.servers": brokers, "enable.idempotence": True, "linger.ms": 2})
    best = 1e9
    for _ in range(5):
        cpu = time.process_time()
        for n in range(80_000):
            producer.produce(TOPIC, EVENTS[n % 1000], KEYS[n * 37 % 400], on_delivery=lambda *_: None)
            if n % 800 == 799:
                producer.flush()
        best = min(best, (time.process_time() - cpu) / 80_000 * 1e6)
    return best


async def _publish_all(stream: Stream, items: list[list[Item]], calls: int) -> None:
    async def caller(number: int) -> None:
        for call in range(calls):
            await stream.publish(TOPIC, items[(number * 8 + call) % 64])

    await asyncio.gather(*(caller(number) for number in range(8)))


def _reading(environ: dict[str, str], backlog: int) -> Figure:
    """A backlog written in batches of 1,000, read 5,000 at a time by one reader."""
    stream = stream_for(settings.read(environ))
    for _ in range(backlog // 1000):
        stream.publish("reading", [(KEYS[n % 400], EVENTS[n]) for n in range(1000)]).wait()
    best = 0.0
    for group in ("first", "second", "third"):
        reader = stream.reader("reading", group)
        began, count = time.perf_counter(), 0
        while count < backlog:
            count += len(reader.read(5000, 32_000_000, 1))
        best = max(best, count / (time.perf_counter() - began))
        reader.close()
    stream.close()
    return Figure(what="Postgres log, reading a backlog, one reader", value=best, unit="events/s", target=200_000)


def _waking(environ: dict[str, str], server: PostgresServer, idle: int, wakings: int) -> Iterator[Figure]:
    """Seven consumers: what they cost while nothing comes, and how long a record takes to reach them."""
    stream = stream_for(settings.read(environ))
    readers = [stream.reader("waking", f"group {number}") for number in range(7)]
    took: list[float] = []
    stop = threading.Event()

    def consume(number: int) -> None:
        _consume(readers[number], took, stop)

    consumers = threading.Thread(target=_threads, args=(consume, 7))
    consumers.start()
    time.sleep(2)
    assert server.process
    ours, theirs = time.process_time(), cpu.used(server.process.pid)
    time.sleep(idle)
    ours, theirs = time.process_time() - ours, cpu.used(server.process.pid) - theirs
    for _ in range(wakings):
        stream.publish("waking", [(None, b"%.6f" % time.perf_counter())]).wait()
        time.sleep(0.19)
    stop.set()
    consumers.join()
    for reader in readers:
        reader.close()
    stream.close()
    took.sort()
    share, of_server = (ours + theirs) / idle * 100, theirs / idle * 100
    note, what = f"{of_server:.1f} of it the server", "Postgres log, seven idle consumers"
    yield Figure(what=what, value=share, unit="% of a core", target=3, most=True, note=note)
    p50, p95 = took[len(took) // 2], took[len(took) * 19 // 20]
    what = "Postgres log, wake-up of a consumer, p95"
    yield Figure(what=what, value=p95, unit="ms", target=100, most=True, note=f"p50 {p50:.0f} ms")


def _consume(reader: Reader, took: list[float], stop: threading.Event) -> None:
    while not stop.is_set():
        records = reader.read(100, 1_000_000, 1)
        took += [(time.perf_counter() - float(record.value or b"0")) * 1000 for record in records]


def _threads(act: Callable[[int], None], count: int) -> None:
    threads = [threading.Thread(target=act, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


if __name__ == "__main__":
    sys.exit(main("stream", __doc__, figures, ("postgres", "kafka")))
