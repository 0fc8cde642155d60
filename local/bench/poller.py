"""How many records a second the poller brings to a handler that does nothing: python -m local.bench.poller

Batches of 1,000 records of 450 bytes, from a real stream to a real functions-framework process on this machine; beside
it, on the same records, the obvious way to write it: json, base64, httpx, one batch after the other.
"""

import base64
import json
import os
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import httpx

from common import settings
from common.clients.postgres.database import Database
from common.clients.stream import Stream, postgres_topics, stream_for
from local.bench.figure import Figure, timed
from local.bench.run import Words, main
from local.hosts import web
from local.poller.feeder import Feeder
from local.poller.stations import Station
from local.poller.stopped import Stopped
from local.servers import kafka
from local.servers.kafka import KafkaServer
from local.servers.postgres import ROLE, PostgresServer
from migrations.apply import apply, migrations

TOPIC, PARTITIONS, RECORDS, BATCH = "bench", 12, 120_000, 1000
VALUE = json.dumps({"event_id": "0195", "event_type": "error", "message": "x" * 390}).encode()
ROOT = Path(__file__).parents[2]
REACH = 30_000


def figures(words: Words) -> Iterator[Figure]:
    records = words.rounds(RECORDS, 20_000)
    with tempfile.TemporaryDirectory(prefix="signals-bench-") as folder:
        home = Path(folder)
        home.chmod(0o755)
        for name, where, stream in streams(home, kafka_too="kafka" in words.parts and not words.quick):
            yield measured(name, where, stream, records)


def measured(name: str, where: settings.Settings, stream: Stream, records: int) -> Figure:
    fill(stream, records)
    os.environ["BENCH_TOPIC"] = TOPIC
    with tempfile.TemporaryDirectory() as folder:
        host = web.functions_framework(
            "local/bench/empty_station.py", Path(folder), {"BENCH_TOPIC": TOPIC, "LOG_LEVEL": "error"}, ROOT
        )
        url = f"http://127.0.0.1:{host.port}"
        with timed() as plain:
            obvious(stream, url, records)
        stopping = threading.Event()
        with timed() as ours:
            fed(stream, where, url, stopping, records)
        stopping.set()
        host.stop()
    stream.close()
    return Figure(
        what=f"{name}, to a handler that does nothing",
        value=records / ours.wall,
        unit="records/s",
        target=REACH,
        baseline=records / plain.wall,
        cpu_us=ours.cpu / records * 1e6,
        note=f"the obvious way takes {plain.cpu / records * 1e6:.1f} µs of CPU a record",
    )


def fed(stream: Stream, where: settings.Settings, url: str, stopping: threading.Event, records: int) -> None:
    """From nothing until the last record is answered."""
    stopped = Stopped(Database(1, lambda: where.database))
    feeder = Feeder(Station("bench", url, TOPIC, "ours", BATCH), stream, stopped, stopping)
    threading.Thread(target=feeder.run).start()
    while sum(feeder.positions().values()) < records:
        time.sleep(0.01)


def obvious(stream: Stream, url: str, records: int) -> None:
    reader = stream.reader(TOPIC, "obvious")
    done = 0
    with httpx.Client() as client:
        while done < records:
            parts: dict[str, list[dict[str, object]]] = {}
            following: dict[int, int] = {}
            for one in reader.read(BATCH, 1_000_000, 1):
                record = {"topic": one.topic, "partition": one.partition, "offset": one.offset, "headers": []}
                record |= {"timestamp": one.timestamp, "key": text(one.key), "value": text(one.value)}
                parts.setdefault(f"{TOPIC}-{one.partition}", []).append(record)
                following[one.partition] = one.offset + 1
                done += 1
            client.post(url, json={"records": parts}, timeout=30).raise_for_status()
            reader.commit(following)
    reader.close()


def text(value: bytes | None) -> str | None:
    return None if value is None else base64.b64encode(value).decode()


def fill(stream: Stream, records: int) -> None:
    items = [(b"%d" % (n % 400), VALUE) for n in range(records)]
    pending = []
    for at in range(0, records, 1000):  # as much as ingest takes in one request
        pending.append(stream.publish(TOPIC, items[at : at + 1000]))
        if len(pending) == 3:
            pending.pop(0).wait()
    for one in pending:
        one.wait()


@contextmanager
def running(server: PostgresServer | KafkaServer) -> Iterator[None]:
    server.start()
    try:
        yield
    finally:
        server.stop()


def streams(home: Path, *, kafka_too: bool) -> Iterator[tuple[str, settings.Settings, Stream]]:
    """The log in Postgres; and Kafka, where it is asked for."""
    server = PostgresServer(home / "postgres")
    with running(server):
        owner = server.connect(ROLE, "signals")
        apply(owner, migrations())
        postgres_topics.make(owner, TOPIC, PARTITIONS, datetime.now(UTC).date(), 1)
        owner.close()
        url = {"DATABASE_URL": server.url()}
        where = settings.read(url)
        yield "Postgres log", where, stream_for(where)
        if kafka_too:
            yield from in_kafka(home, url)


def in_kafka(home: Path, url: dict[str, str]) -> Iterator[tuple[str, settings.Settings, Stream]]:
    from common.clients.stream import kafka_topics

    server = KafkaServer(home / "kafka", kafka.jars(ROOT / ".local/jars"))
    with running(server):
        where = settings.read(url | {"KAFKA_BROKERS": server.brokers})
        assert where.kafka
        kafka_topics.make(where.kafka, TOPIC, PARTITIONS, 86_400)
        yield "Kafka", where, stream_for(where)


if __name__ == "__main__":
    sys.exit(main("poller", __doc__, figures, ("postgres", "kafka")))
