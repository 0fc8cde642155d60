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
from local.servers import opensearch
from local.servers.postgres import ROLE, PostgresServer
from migrations.apply import apply, migrations

JARS = Path(__file__).parents[2] / ".local" / "jars"
EVENTS, ROUNDS, REACH = 2_000, 7, 5.0
KNOWN = ("route", "method", "status_code", "error_code", "release", "service", "duration_ms", "trace_id", "user_id")


def main() -> int:
    home = Path(tempfile.mkdtemp(prefix="signals-bench-"))
    home.chmod(0o755)
    node = opensearch.OpenSearchServer(home / "servers" / "opensearch", opensearch.jars(JARS))
    postgres = PostgresServer(home / "servers" / "postgres")
    try:
        node.start()
        reached = indexing(node.url)
        postgres.start()
        print(f"Postgres engine, upsert of {EVENTS} in one statement: {upserting(postgres):,.0f} events/s of wall time")
    finally:
        node.stop()
        postgres.stop()
        shutil.rmtree(home, ignore_errors=True)
    return 0 if reached else 1


def indexing(url: str) -> bool:
    """Ours and the obvious way, in turns."""
    where = settings.read({"OPENSEARCH_URL": url})
    assert where.opensearch
    mapping.create(Node(where.opensearch))
    ours, obvious = search_for(where), OpenSearch(url)
    ours_best, obvious_best = float("inf"), float("inf")
    for _ in range(ROUNDS):
        batch = envelopes()
        obvious_best = min(obvious_best, cost(by_helpers, obvious, batch))
        ours_best = min(ours_best, cost(index, ours, batch))
    ratio = obvious_best / ours_best
    print(f"helpers.bulk     {obvious_best * 1e6:6.2f} us of CPU a document  {1 / obvious_best:>9,.0f} a CPU second")
    print(f"Search.index     {ours_best * 1e6:6.2f} us of CPU a document  {1 / ours_best:>9,.0f} a CPU second")
    print(f"ratio            {ratio:6.1f} x, to reach {REACH:.0f} x: {'reached' if ratio >= REACH else 'NOT reached'}")
    return ratio >= REACH


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
    sys.exit(main())
