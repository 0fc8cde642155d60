"""How fast the API answers ten readers at a time: python -m local.bench.api [--native] [--scale 0.1]

On a database it fills: a million events, ten thousand incidents, five million bucket rows. Every read of one page is
to be answered within 50 ms, 95 times of 100; what a hostile organisation asks leaves another's answers where they were.
"""

import argparse
import http.client
import shutil
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from hashlib import md5
from pathlib import Path
from random import Random
from typing import TypeVar
from uuid import UUID

from common import settings
from common.clients.postgres.connection import Connection
from common.clients.search import mapping, search_for
from common.clients.search.node import Node
from local.bench import api_data
from local.hosts import web
from local.servers import opensearch
from local.servers.postgres import PostgresServer
from migrations.apply import apply, migrations

ROOT = Path(__file__).parents[2]
JARS = ROOT / ".local" / "jars"
READERS, ASKED, REACH_MS = 10, 400, 50.0
WARM = 20  # of each reader, not counted: connections are opened, and OpenSearch compiles itself
HOSTILE = "/v1/search/counts?q=-nothing%20upstream%20-else"
Latencies = list[float]
T = TypeVar("T")


def main() -> int:
    words = parser().parse_args()
    home = Path(tempfile.mkdtemp(prefix="signals-bench-"))
    home.chmod(0o755)
    try:
        with running(home, native=words.native, scale=words.scale) as (port, tokens, page):
            slow = [
                name for name, path in reads(page).items() if not report(name, measure(port, tokens["bench"], path))
            ]
            hostility(port, tokens)
            print(f"to reach {REACH_MS:.0f} ms: {'reached' if not slow else 'NOT reached by ' + ', '.join(slow)}")
    finally:
        shutil.rmtree(home, ignore_errors=True)
    return 1 if slow else 0


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(description=__doc__)
    made.add_argument("--native", action="store_true", help="search in a real OpenSearch")
    made.add_argument("--scale", type=float, default=1.0)
    return made


def reads(page: str) -> dict[str, str]:
    """Every read there is, in the form that a page of the dashboard or a program asks it."""
    incident = "/v1/incidents/" + incident_id(17)
    return {
        "incidents": "/v1/incidents",
        "incidents, page 100": f"/v1/incidents?cursor={page}",
        "incidents, open": "/v1/incidents?status=open",
        "incidents, critical": "/v1/incidents?severity=critical",
        "incidents, of a rule": "/v1/incidents?rule=signup_drop",
        "incidents, of a project": "/v1/incidents?project_id=bench-shop&environment=prod",
        "incidents, by word": "/v1/incidents?q=route/77",
        "one incident": incident,
        "search, newest": "/v1/search/events",
        "search, rare word": f"/v1/search/events?q={api_data.RARE}",
        "search, field": "/v1/search/events?q=route:%22/route/7%22",
        "search counts, rare word": f"/v1/search/counts?q={api_data.RARE}",
        "deploys": "/v1/deploys",
        "overview": "/v1/metrics/overview",
        "trends, a day by hours": "/v1/metrics/trends",
        "trends, a month by days": "/v1/metrics/trends?step=day&from=" + month_ago(),
        "AI stats": "/v1/ai/stats",
        "AI activity": "/v1/ai/activity",
        "AI jobs": "/v1/ai/jobs",
        "AI jobs, failed": "/v1/ai/jobs?status=failed",
        "projects": "/v1/projects",
        "keys": "/v1/projects/bench-shop/keys",
        "tokens": "/v1/tokens",
    }


def incident_id(n: int) -> str:
    return str(UUID(md5(f"incident{n}".encode()).hexdigest()))  # noqa: S324 (a name, as the database made it)


def month_ago() -> str:
    return datetime.fromtimestamp(time.time() - 30 * 86_400, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@contextmanager
def running(home: Path, *, native: bool, scale: float) -> Iterator[tuple[int, dict[str, str], str]]:
    """The port of a core_api over a filled database, the tokens, and a cursor far down the list of incidents."""
    with filled(home, native=native, scale=scale) as (environ, tokens, page):
        server = web.functions_framework("functions/core_api/main.py", home, environ, ROOT)
        try:
            yield server.port, tokens, page
        finally:
            server.stop()


@contextmanager
def filled(home: Path, *, native: bool, scale: float) -> Iterator[tuple[dict[str, str], dict[str, str], str]]:
    """The variables of a filled database, the tokens, and a cursor far down the list of incidents."""
    now, random = datetime.now(UTC), Random(7)  # noqa: S311 (the same data each time)
    with ExitStack() as stack:
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
        tokens = timed("tenants", lambda: api_data.tenants(conn, random))
        timed("rows", lambda: api_data.fill(conn, now, scale))
        if where.opensearch:
            mapping.create(Node(where.opensearch))
        search = search_for(where)
        stack.callback(search.close)
        timed("events", lambda: api_data.index(search, now, int(api_data.EVENTS * scale), random))
        conn.run("VACUUM ANALYZE events")
        key = "SELECT microseconds(opened_at) || '~' || id FROM incidents ORDER BY opened_at DESC OFFSET :n LIMIT 1"
        [[page]] = conn.run(key, n=int(5_000 * scale))
        conn.close()
        yield environ, tokens, page


def timed(what: str, work: Callable[[], T]) -> T:
    began = time.monotonic()
    done = work()
    print(f"filled: {what} in {time.monotonic() - began:.0f} s", flush=True)
    return done


def measure(port: int, token: str, path: str, *, readers: int = READERS, asked: int = ASKED) -> Latencies:
    """Milliseconds of each answer, to so many readers who ask one after the other."""
    found: list[Latencies] = [[] for _ in range(readers)]
    threads = [threading.Thread(target=ask, args=(port, token, path, asked // readers, mine)) for mine in found]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sorted(latency for mine in found for latency in mine)


def ask(port: int, token: str, path: str, times: int, found: Latencies) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    for n in range(times + WARM):
        began = time.perf_counter()
        connection.request("GET", path, headers={"authorization": f"Bearer {token}"})
        response = connection.getresponse()
        body = response.read()
        assert response.status == 200, (path, response.status, body[:300])
        if n >= WARM:
            found.append((time.perf_counter() - began) * 1000)
    connection.close()


def report(name: str, latencies: Latencies) -> bool:
    p50, p95 = quantile(latencies, 0.5), quantile(latencies, 0.95)
    print(f"{name:28} p50 {p50:7.1f} ms   p95 {p95:7.1f} ms{'' if p95 <= REACH_MS else '   <--'}", flush=True)
    return p95 <= REACH_MS


def quantile(latencies: Latencies, share: float) -> float:
    return latencies[min(len(latencies) - 1, int(len(latencies) * share))]


def hostility(port: int, tokens: dict[str, str]) -> None:
    """The p95 of one organisation's list, alone, and while another asks the dearest question as often as it can."""
    alone = measure(port, tokens["bench"], "/v1/incidents", readers=2)
    over = threading.Event()
    attackers = [threading.Thread(target=attack, args=(port, tokens["hostile"], over)) for _ in range(READERS)]
    for thread in attackers:
        thread.start()
    time.sleep(1)
    beside = measure(port, tokens["bench"], "/v1/incidents", readers=2)
    over.set()
    for thread in attackers:
        thread.join()
    print(f"p95 of incidents alone {quantile(alone, 0.95):.1f} ms, beside a hostile organisation "
          f"{quantile(beside, 0.95):.1f} ms")  # fmt: skip


def attack(port: int, token: str, over: threading.Event) -> None:
    """Whatever the answer is."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    while not over.is_set():
        connection.request("GET", HOSTILE, headers={"authorization": f"Bearer {token}"})
        connection.getresponse().read()
    connection.close()


if __name__ == "__main__":
    sys.exit(main())
