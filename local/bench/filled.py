"""What the benches of API and pages read: a million events, ten thousand incidents, five million bucket rows."""

import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from hashlib import md5
from pathlib import Path
from random import Random
from typing import NamedTuple, TypeVar
from uuid import UUID

from common import settings
from common.clients.postgres.connection import Connection
from common.clients.search import search_for
from local.bench import api_data
from local.bench.run import Words
from local.servers import opensearch
from local.servers.postgres import PostgresServer
from migrations.apply import apply, migrations
from migrations.prepare import prepare

ROOT = Path(__file__).parents[2]
JARS = ROOT / ".local" / "jars"
READERS = 10
Latencies = list[float]
T = TypeVar("T")


class Filled(NamedTuple):
    """Where it is, a token of each organisation, and a cursor far down the list of incidents."""

    home: Path
    environ: dict[str, str]
    tokens: dict[str, str]
    cursor: str


def in_opensearch(words: Words) -> bool:
    """Whether search is a real OpenSearch; a quick bench does without Java."""
    return "native" in words.parts and not words.quick


@contextmanager
def filled(*, native: bool, scale: float) -> Iterator[Filled]:
    """A database with a month of everything, which ends with the block."""
    now, random = datetime.now(UTC), Random(7)  # noqa: S311 (the same data each time)
    home = Path(tempfile.mkdtemp(prefix="signals-bench-"))
    home.chmod(0o755)
    with ExitStack() as stack:
        stack.callback(shutil.rmtree, home, ignore_errors=True)
        postgres = PostgresServer(home / "servers" / "postgres", shared_buffers="512MB")
        postgres.start()
        stack.callback(postgres.stop)
        environ = {"DATABASE_URL": postgres.url()}
        if native:
            node = opensearch.OpenSearchServer(home / "servers" / "opensearch", opensearch.jars(JARS))
            node.start()
            stack.callback(node.stop)
            environ["OPENSEARCH_URL"] = node.url
        where = settings.read(environ)
        conn = Connection(where.database)
        apply(conn, migrations())
        prepare(conn, where, now.date(), ahead=1)
        tokens = timed("organisations", lambda: api_data.organisations(conn, random))
        timed("rows", lambda: api_data.fill(conn, now, scale))
        search = search_for(where)
        stack.callback(search.close)
        timed("events", lambda: api_data.index(search, now, int(api_data.EVENTS * scale), random))
        conn.run("VACUUM ANALYZE events")
        key = "SELECT microseconds(opened_at) || '~' || id FROM incidents ORDER BY opened_at DESC OFFSET :n LIMIT 1"
        [[page]] = conn.run(key, n=int(5_000 * scale))
        conn.close()
        yield Filled(home, environ, tokens, page)


def timed(what: str, work: Callable[[], T]) -> T:
    began = time.monotonic()
    done = work()
    print(f"filled: {what} in {time.monotonic() - began:.0f} s", flush=True)
    return done


def incident_id(n: int) -> str:
    return str(UUID(md5(f"incident{n}".encode()).hexdigest()))  # noqa: S324 (a name, as the database made it)


def quantile(latencies: Latencies, share: float) -> float:
    return latencies[min(len(latencies) - 1, int(len(latencies) * share))]
