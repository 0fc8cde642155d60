"""A station as a process under functions-framework, fed as the poller does it, and its dead letters."""

from collections.abc import Sequence
from pathlib import Path
from uuid import uuid4

from common import settings, topics
from common.clients.postgres.connection import Connection
from common.clients.stream import dead, stream_for
from common.clients.stream.dead import Letter
from common.edge.records import Record
from local.hosts import web
from local.hosts.call import Answer
from local.poller import batch
from tests import servers
from tests.streams import read

KEY = "an-internal-key"
AT = 1_772_366_400_000  # 2026-03-01T12:00:00Z


class Fed:
    """functions/<name>/main.py with a database of its own, which is its stream too."""

    def __init__(self, name: str, home: Path, environ: dict[str, str]) -> None:
        self.name, self.url = name, servers.fresh_database()
        given = {"DATABASE_URL": self.url, "INTERNAL_KEY": KEY} | environ
        self.settings = settings.read(given)
        self.conn = Connection(self.settings.database)
        self.stream = stream_for(settings.read({"DATABASE_URL": self.url}))
        self.host = web.functions_framework(f"functions/{name}/main.py", home, given, servers.ROOT)

    def post(self, records: Sequence[Record], key: str = KEY) -> Answer:
        parts: dict[int, list[batch.Item]] = {}
        for record in records:
            parts.setdefault(record.partition, []).append(batch.item(record))
        headers = {"content-type": "application/json", "x-internal-key": key}
        return self.host.request("POST", "/", headers, batch.body(topics.RAW, parts))

    def letters(self, count: int) -> list[Letter]:
        reader = self.stream.reader(topics.DLQ, f"test-{uuid4().hex}")
        found = read(reader, count, seconds=10) + reader.read(1000, 8_000_000, 0.1)
        reader.close()
        letters = [dead.read(record.value or b"") for record in found]
        return sorted(letters, key=lambda one: (one.partition, one.offset))

    def close(self) -> None:
        self.host.stop()
        self.stream.close()
        self.conn.close()
        servers.drop_database(self.url)


def record(
    offset: int, value: bytes | None, partition: int = 0, key: bytes | None = b"acme|shop", at: int = AT
) -> Record:
    return Record(topics.RAW, partition, offset, at + offset, key, value)


TAKEN: dict[str, list[object]] = {"batchItemFailures": []}
