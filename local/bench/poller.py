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
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import httpx

from common import settings
from common.clients.postgres.database import Database
from common.clients.stream import Stream, postgres_topics, stream_for
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


class Figure(NamedTuple):
    seconds: float
    cpu_seconds: float

    @property
    def per_second(self) -> float:
        return RECORDS / self.seconds

    def text(self) -> str:
        return f"{self.per_second:>9,.0f} records/s   {self.cpu_seconds / RECORDS * 1e6:5.1f} us of CPU a record"


def main() -> int:
    with tempfile.TemporaryDirectory(prefix="signals-bench-") as folder:
        home = Path(folder)
        home.chmod(0o755)
        reached = [measure(name, where, stream) for name, where, stream in streams(home, sys.argv[1:])]
    return 0 if all(reached) else 1


def measure(name: str, where: settings.Settings, stream: Stream) -> bool:
    fill(stream)
    os.environ["BENCH_TOPIC"] = TOPIC
    with tempfile.TemporaryDirectory() as folder:
        host = web.functions_framework(
            "local/bench/empty_station.py", Path(folder), {"BENCH_TOPIC": TOPIC, "LOG_LEVEL": "error"}, ROOT
        )
        url = f"http://127.0.0.1:{host.port}"
        plain = timed(lambda: obvious(stream, url))
        stopping = threading.Event()
        ours = timed(lambda: fed(stream, where, url, stopping))
        stopping.set()
        host.stop()
    stream.close()
    print(f"{name:<9} the poller      {ours.text()}   {ours.per_second / plain.per_second:.1f} x the obvious way")
    print(f"{name:<9} the obvious way {plain.text()}")
    if ours.per_second < REACH:
        print(f"{name:<9} NOT REACHED: {REACH:,} records/s")
    return ours.per_second >= REACH


def fed(stream: Stream, where: settings.Settings, url: str, stopping: threading.Event) -> None:
    """From nothing until the last record is answered."""
    stopped = Stopped(Database(1, lambda: where.database))
    feeder = Feeder(Station("bench", url, TOPIC, "ours", BATCH), stream, stopped, stopping)
    threading.Thread(target=feeder.run).start()
    while sum(feeder.positions().values()) < RECORDS:
        time.sleep(0.01)


def obvious(stream: Stream, url: str) -> None:
    reader = stream.reader(TOPIC, "obvious")
    done = 0
    with httpx.Client() as client:
        while done < RECORDS:
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


def timed(work: Callable[[], None]) -> Figure:
    began, cpu = time.perf_counter(), time.process_time()
    work()
    return Figure(time.perf_counter() - began, time.process_time() - cpu)


def fill(stream: Stream) -> None:
    items = [(b"%d" % (n % 400), VALUE) for n in range(RECORDS)]
    pending = []
    for at in range(0, RECORDS, 1000):  # as much as ingest takes in one request
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


def streams(home: Path, names: list[str]) -> Iterator[tuple[str, settings.Settings, Stream]]:
    """The log in Postgres; and Kafka, if it is named on the command line or its jars are here."""
    server = PostgresServer(home / "postgres")
    with running(server):
        owner = server.connect(ROLE, "signals")
        apply(owner, migrations())
        postgres_topics.make(owner, TOPIC, PARTITIONS, datetime.now(UTC).date(), 1)
        owner.close()
        url = {"DATABASE_URL": server.url()}
        where = settings.read(url)
        yield "postgres", where, stream_for(where)
        if "kafka" in names or (ROOT / ".local/jars").exists():
            yield from in_kafka(home, url)


def in_kafka(home: Path, url: dict[str, str]) -> Iterator[tuple[str, settings.Settings, Stream]]:
    from common.clients.stream import kafka_topics

    server = KafkaServer(home / "kafka", kafka.jars(ROOT / ".local/jars"))
    with running(server):
        where = settings.read(url | {"KAFKA_BROKERS": server.brokers})
        assert where.kafka
        kafka_topics.make(where.kafka, TOPIC, PARTITIONS, 86_400)
        yield "kafka", where, stream_for(where)


if __name__ == "__main__":
    sys.exit(main())
