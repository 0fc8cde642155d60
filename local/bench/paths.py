"""Where the time of the three hot paths goes, in per cent: python -m local.bench.paths

Each runs in this process, on real stores, and is looked at every millisecond (`sampler.py`). A C function counts for
the line of Python that called it.
"""

import asyncio
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from time import perf_counter

import uvloop

from common import settings, topics
from common.edge.records import Record
from local.bench import edges, search
from local.bench.engine import LARGE, Bench
from local.bench.figure import Figure
from local.bench.ingest import KEY, MANY, ONE, demo
from local.bench.run import Words, main
from local.bench.sampler import Place, sampled
from local.servers import opensearch
from local.servers.postgres import ROLE, PostgresServer

FULL, QUICK, WARM = 5, 1, 0.3  # seconds of each
BATCHES = 60  # enough for that on an idle machine
IN_FLIGHT = 32
LOOP = asyncio.Runner(loop_factory=uvloop.new_event_loop)
Work = Callable[[float], object]  # for so many seconds
LEAST = 0.5  # per cent; what is less is told with the rest
POSTGRES = Place("waiting for Postgres", ("/socket.py", "/pg8000/core.py"))
ENGINE = (
    POSTGRES,
    Place("decode the records, find their series", ("incident_engine/events.py", "common/events/")),
    Place("group by series and minute", ("incident_engine/batch.py",)),
    Place("play the rules and states", ("common/incidents/", "common/detection/")),
    Place("write the statements, read the answer", ("common/clients/postgres/", "incident_engine/rows.py")),
    Place("metrics", ("incident_engine/figures.py", "common/metrics/")),
    Place("the engine's own frame", ("incident_engine/",)),
)
INGEST = (
    Place("decode and check the events", ("events/batch.py", "events/reading.py", "events/explain.py")),
    Place("seal, key and encode", ("events/envelope.py", "events/identity.py", "ingest/main.py")),
    Place("whose key, how many may come", ("ingest/access.py", "ingest/allowance.py", "common/credentials.py")),
    Place("put them on the stream", ("common/clients/", "/pg8000/", "/concurrent/", "/threading.py", "/queue.py")),
    Place("metrics and log", ("common/metrics/", "common/log.py", "edge/notes.py")),
    Place("our edge", ("common/edge/",)),
    Place("functions-framework and Starlette", ("/functions_framework/", "/starlette/")),
    Place("the event loop, and waiting in it", ("/asyncio/", "local/bench/")),
)
INDEXER = (
    Place("waiting for OpenSearch", ("/socket.py", "/http/client.py", "/urllib3/")),
    Place("make words", ("search/language.py",)),
    Place("decode envelopes, encode documents", ("search/documents.py", "search/opensearch.py", "common/events/")),
)


def figures(words: Words) -> Iterator[Figure]:
    home, seconds = Path(tempfile.mkdtemp(prefix="signals-bench-")), words.rounds(FULL, QUICK)
    home.chmod(0o755)
    with ExitStack() as stack:
        stack.callback(shutil.rmtree, home, ignore_errors=True)
        postgres = PostgresServer(home / "servers" / "postgres")
        postgres.start()
        stack.callback(postgres.stop)
        os.environ.update({"DATABASE_URL": postgres.url(), "LOG_LEVEL": "error", "INTERNAL_KEY": "bench"})
        bench = Bench(postgres)
        yield from shares("engine, 50 calm series", ENGINE, counting(bench, 50, calm=True), seconds)
        yield from shares("engine, 500 calm series", ENGINE, counting(bench, 500, calm=True), seconds)
        yield from shares("engine, 500 burning series", ENGINE, counting(bench, 500, calm=False), seconds)
        owner = postgres.connect(ROLE, "signals")
        demo(owner)
        owner.close()
        yield from shares("ingest, batches of 100", INGEST, taking("/v1/events/batch", MANY), seconds)
        yield from shares("ingest, single events", INGEST, taking("/v1/events", ONE), seconds)
        if not words.quick:
            node = opensearch.OpenSearchServer(home / "servers" / "opensearch", opensearch.jars(search.JARS))
            node.start()
            stack.callback(node.stop)
            yield from shares("indexer, batches of 2,000", INDEXER, indexing(node.url), seconds)


def shares(path: str, places: tuple[Place, ...], work: Work, seconds: float) -> Iterator[Figure]:
    work(WARM)  # what is made on first use
    for doing, share in sampled(lambda: work(seconds), places).items():
        if share >= LEAST:
            yield Figure(what=f"{path}: {doing}", value=share, unit="%")


def counting(bench: Bench, series: int, *, calm: bool) -> Work:
    """The batches are made before, so that making them is no part of it."""
    traffic = bench.traffic(series, calm=calm)
    batches = [traffic.records(LARGE) for _ in range(BATCHES)][::-1]

    def work(seconds: float) -> None:
        until = perf_counter() + seconds
        while batches and perf_counter() < until:
            bench.engine.handle(batches.pop())

    return work


def taking(path: str, body: bytes) -> Work:
    """As many requests in flight as there are connections in the ingest bench, through functions-framework's app."""
    from functions.ingest.main import gcp

    headers = {"x-api-key": KEY, "content-type": "application/json", "content-length": str(len(body))}
    call = edges.called(edges.framework(gcp), path, headers, body)

    async def caller(until: float) -> None:
        while perf_counter() < until:
            await call()

    async def callers(seconds: float) -> None:
        until = perf_counter() + seconds
        await asyncio.gather(*(caller(until) for _ in range(IN_FLIGHT)))

    return lambda seconds: LOOP.run(callers(seconds))


def indexing(url: str) -> Work:
    """The station itself; its batches are made before."""
    os.environ["OPENSEARCH_URL"] = url
    from functions.indexer.main import handle

    settings.current.cache_clear()
    search.prepare(settings.current())
    batches = [
        [Record(topics.RAW, 0, at, 0, value=one) for at, one in enumerate(search.envelopes())] for _ in range(20)
    ]

    def work(seconds: float) -> None:
        until = perf_counter() + seconds
        while batches and perf_counter() < until:
            assert not handle(batches.pop())

    return work


if __name__ == "__main__":
    sys.exit(main("paths", __doc__, figures))
