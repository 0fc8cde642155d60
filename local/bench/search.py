"""What indexing a batch costs the client, against the obvious way in the same run: python -m local.bench.search

Both write the same envelopes into the same index of a real OpenSearch; CPU time of this process, all threads, in turns,
the quietest turn of each, since others share the machine. Then the Postgres engine, in events per second of wall time.
"""

import json
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from time import perf_counter, process_time
from typing import Any
from uuid import uuid4

from opensearchpy import OpenSearch, helpers

from common import settings
from common.clients.search import Search, mapping, search_for
from common.clients.search.node import Node
from common.events.envelope import Attributes, Envelope, encode
from local.bench.figure import Figure
from local.bench.run import Words, main
from local.servers import opensearch
from local.servers.postgres import ROLE, PostgresServer
from migrations.apply import apply, migrations

JARS = Path(__file__).parents[2] / ".local" / "jars"
EVENTS, ROUNDS, REACH = 2_000, 7, 5.0
KNOWN = ("route", "method", "status_code", "error_code", "release", "service", "duration_ms", "trace_id", "user_id")


def figures(words: Words) -> Iterator[Figure]:
    home = Path(tempfile.mkdtemp(prefix="signals-bench-"))
    home.chmod(0o755)
    node = opensearch.OpenSearchServer(home / "servers" / "opensearch", opensearch.jars(JARS))
    postgres = PostgresServer(home / "servers" / "postgres")
    try:
        node.start()
        yield indexing(node.url, words.rounds(ROUNDS, 2))
        postgres.start()
        rate = upserting(postgres)
        yield Figure(what=f"Postgres engine, {EVENTS:,} in one statement", value=rate, unit="events/s")
    finally:
        node.stop()
        postgres.stop()
        shutil.rmtree(home, ignore_errors=True)


def indexing(url: str, rounds: int) -> Figure:
    """Ours and the obvious way, in turns."""
    where = settings.read({"OPENSEARCH_URL": url})
    prepare(where)
    ours, obvious = search_for(where), OpenSearch(url, timeout=60)
    best = other = float("inf")
    for _ in range(rounds):
        batch = envelopes()
        other = min(other, cost(by_helpers, obvious, batch))
        best = min(best, cost(index, ours, batch))
    what, unit = "indexer's client, documents, beside helpers.bulk", "a CPU second"
    return Figure(what=what, value=1 / best, unit=unit, baseline=1 / other, times=REACH, cpu_us=best * 1e6)


def prepare(where: settings.Settings) -> None:
    """The index, with its mapping."""
    assert where.opensearch
    mapping.create(Node(where.opensearch))


def cost(work: Callable[..., None], *given: object) -> float:
    """Seconds of CPU a document."""
    before = process_time()
    work(*given)
    return (process_time() - before) / EVENTS


def index(search: Search, batch: list[bytes]) -> None:
    assert search.index(batch) == []


def by_helpers(client: OpenSearch, batch: list[bytes]) -> None:
    """What one writes first; that it also has to make words of four texts is left out, in its favour."""

    def actions() -> Iterator[dict[str, Any]]:
        for value in batch:
            event = json.loads(value)
            del event["schema_version"]
            attributes = event["attributes"]
            event["attributes_all"] = attributes
            event["attributes"] = {name: attributes[name] for name in KNOWN if name in attributes}
            yield {"_index": mapping.INDEX, "_id": f"{event['project_id']}:{event['event_id']}", "_source": event}

    helpers.bulk(client, actions(), chunk_size=EVENTS)


def upserting(server: PostgresServer) -> float:
    owner = server.connect(ROLE, "signals")
    apply(owner, migrations())
    owner.close()
    search = search_for(settings.read({"DATABASE_URL": server.url()}))
    best = float("inf")
    for _ in range(ROUNDS):
        batch = envelopes()
        before = perf_counter()
        index(search, batch)
        best = min(best, perf_counter() - before)
    search.close()
    return EVENTS / best


def envelopes() -> list[bytes]:
    """Events of about 600 bytes, with ids nobody has had."""
    return [encode(one(number)) for number in range(EVENTS)]


def one(number: int) -> Envelope:
    now = datetime.now(UTC)
    attributes: Attributes = {
        "route": f"/api/checkout/{number % 20}",
        "method": "POST",
        "status_code": 504,
        "error_code": "UPSTREAM_TIMEOUT",
        "release": "v2.14.0",
        "service": "checkout",
        "duration_ms": 1234.5,
    }
    payload = {"order": {"id": number, "items": [{"sku": f"sku-{number % 7}", "count": 2}], "currency": "EUR"}}
    message = f"Upstream payment provider timed out after {number} ms while charging the card of order {number * 7}"
    return Envelope(
        "1.0", uuid4(), now, now, "acme", "shop", "prod", "error", "error", message, attributes, payload, False, None
    )


if __name__ == "__main__":
    sys.exit(main("search", __doc__, figures))
