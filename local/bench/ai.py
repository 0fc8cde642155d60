"""What the AI worker's own part costs, against the bounds it promises: python -m local.bench.ai

Claiming among ten thousand queued jobs; jobs a second through claim and finish, and through the whole worker with a
model that answers at once; the cold import; the longest prompt. Ratios to the obvious way in the same run.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from time import perf_counter

from common import settings
from common.clients.model import Reply
from common.clients.postgres import jobs, outputs
from common.clients.postgres.connection import Connection
from common.clients.postgres.database import Database
from common.clients.postgres.outputs import Output
from common.clients.search import search_for
from common.settings import Settings
from functions.ai_worker.work import Tools, Worker
from local.bench.figure import Figure
from local.bench.run import Words, main
from local.model import answers
from local.servers.postgres import ROLE, PostgresServer
from migrations.apply import apply, migrations

ROOT = Path(__file__).parents[2]
QUEUED, TURNS, CLAIMS, THREADS, WHOLE = 10_000, 5, 100, 4, 200
NOW = datetime(2026, 5, 1, 12, 5, tzinfo=UTC)
IMPORT = """
import time
began = time.process_time()
import functions.ai_worker.main
print((time.process_time() - began) * 1000)
"""
FILL = """
    INSERT INTO orgs (id, name) VALUES ('acme', 'Acme');
    INSERT INTO projects (id, org_id, name) VALUES ('shop', 'acme', 'Shop');
    INSERT INTO series (id, org_id, project_id, environment, metric_name, fingerprint, error_code, route, newest)
    SELECT gen_random_uuid(), 'acme', 'shop', 'prod', 'error_count', 'E' || n, 'E' || n, '/checkout', 29626324
      FROM generate_series(1, :n) n;
    INSERT INTO buckets (series, minute, value, critical)
    SELECT id, 29626324 - m, 2, 0 FROM series, generate_series(0, 64) m WHERE random() < :filled;
    INSERT INTO incidents (id, series, org_id, project_id, environment, fingerprint, rule, route, error_code, status,
                           prior_status, severity, title, opened_at, last_seen_at, window_minutes, observed, baseline,
                           peak, event_count, last_event_at)
    SELECT gen_random_uuid(), id, 'acme', 'shop', 'prod', fingerprint, 'error_spike', '/checkout', error_code, 'open',
           'open', (ARRAY['warn', 'error', 'critical'])[1 + floor(random() * 3)::int], 'Errors spike',
           '2026-05-01 12:04Z', '2026-05-01 12:04Z', 5, 30, 24, 30, 30, '2026-05-01 12:04Z'
      FROM series;
    INSERT INTO incident_events (incident_id, slot, event_id, occurred_at, event_type, severity, message,
                                 attributes_json)
    SELECT id, s, gen_random_uuid(), '2026-05-01 12:04Z', 'error', 'error', 'upstream timeout ' || s,
           '{"route": "/checkout", "release": "4.2.0", "status_code": 504}'
      FROM incidents, generate_series(0, 29) s WHERE random() < :filled;
    INSERT INTO ai_jobs (incident_id, run_after) SELECT id, '2026-05-01 12:04Z' FROM incidents;
    ANALYZE;
"""
OBVIOUS = """
    UPDATE ai_jobs SET status = 'running', leased_until = :until, updated_at = :now
     WHERE id = (SELECT j.id FROM ai_jobs j JOIN incidents i ON i.id = j.incident_id
                  WHERE j.status = 'queued' AND j.run_after <= :now
                  ORDER BY array_position(ARRAY['critical', 'error', 'warn'], i.severity), j.run_after
                  LIMIT 1 FOR UPDATE OF j SKIP LOCKED)
    RETURNING id
"""
BY_KEY = "UPDATE ai_jobs SET updated_at = :now WHERE id = :id RETURNING 1"


def figures(words: Words) -> Iterator[Figure]:
    home = Path(tempfile.mkdtemp(prefix="signals-bench-"))
    home.chmod(0o755)
    server = PostgresServer(home / "servers" / "postgres")
    try:
        server.start()
        yield from claiming(server, words.rounds(TURNS, 2))
        yield finishing(server)
        yield from whole(server, words.rounds(WHOLE, 40))
        yield importing()
    finally:
        server.stop()
        shutil.rmtree(home, ignore_errors=True)


def claiming(server: PostgresServer, turns: int) -> Iterator[Figure]:
    """One worker's claims, one after the other, while ten thousand wait; in turns, the quietest of each."""
    conn = filled(server, "claiming", QUEUED, 0.01)
    key = conn.run("SELECT id FROM ai_jobs LIMIT 1")[0][0]
    ours = obvious = commit = float("inf")
    for _ in range(turns):
        ours = min(ours, p95(lambda: jobs.claim(conn, NOW, ("incident_summary",)), CLAIMS))
        obvious = min(obvious, p95(lambda: conn.run(OBVIOUS, now=NOW, until=NOW + jobs.LEASE), CLAIMS // 4))
        commit = min(commit, p95(lambda: conn.run(BY_KEY, id=key, now=NOW), CLAIMS))
    conn.close()
    note = f"an update by key, which commits too, takes {commit:.2f} ms; the baseline joins the incidents to order them"
    what = "claim among 10,000 queued jobs, p95"
    yield Figure(what=what, value=ours, unit="ms", target=5, baseline=obvious, most=True, note=note)


def finishing(server: PostgresServer) -> Figure:
    """Claim and succeed with an output, nothing between; so many connections at once."""
    where = where_of(server, "finishing", 2_000, 0.01)
    output = Output(
        model="instant", content={"title": "Checkout fails"}, facts=[], references=[], evidence_given=0, evidence_held=0
    )

    def work() -> int:
        conn, done = Connection(where.database), 0
        while held := jobs.claim(conn, NOW, ("incident_summary",)):
            done += outputs.succeed(conn, held, output, NOW)
        conn.close()
        return done

    return Figure(what=f"through claim and finish, {THREADS} workers", value=together(work), unit="jobs/s", target=200)


def whole(server: PostgresServer, incidents: int) -> Iterator[Figure]:
    """Background, search, facts, prompt, check and all, with a model that answers at once."""
    where = where_of(server, "whole", incidents, 0.9)
    longest = [0]

    def instant(instructions: str, question: str) -> Reply:
        prompt = f"{instructions}\n{question}"
        longest[0] = max(longest[0], len(prompt))
        return Reply(answers.answer("sensible", prompt), "stop", "instant", 1000, 300, 0.0)

    def work() -> int:
        database = Database(2, lambda: where.database)
        worker = Worker(Tools(where, database, search_for(where, database), instant, lambda: NOW, patience=0))
        done = worker.take(incidents)
        database.close()
        return done

    os.environ["LOG_LEVEL"] = "error"
    yield Figure(what=f"through the whole worker, {THREADS} in one process", value=together(work), unit="jobs/s")
    yield Figure(what="the longest prompt of these", value=longest[0], unit="characters", target=12_000, most=True)


def importing() -> Figure:
    """The quietest of nine fresh processes, CPU; others share the machine."""
    environ = {"PATH": os.environ["PATH"], "INTERNAL_KEY": "k"}
    words = [sys.executable, "-c", IMPORT]
    done = [subprocess.run(words, cwd=ROOT, env=environ, capture_output=True, text=True, check=True) for _ in range(9)]
    best = min(float(one.stdout) for one in done)
    return Figure(what="import of the worker without a job", value=best, unit="ms of CPU", target=150, most=True)


def filled(server: PostgresServer, name: str, incidents: int, share: float) -> Connection:
    owner = server.connect()
    owner.run(f"CREATE DATABASE {name} OWNER {ROLE}")
    owner.close()
    conn = server.connect(ROLE, name)
    apply(conn, migrations())
    conn.simple(FILL.replace(":n)", f"{incidents})").replace(":filled", str(share)))
    return conn


def where_of(server: PostgresServer, name: str, incidents: int, share: float) -> Settings:
    filled(server, name, incidents, share).close()
    model = {"GRADIENT_BASE_URL": "http://127.0.0.1:9/v1", "GRADIENT_MODEL": "instant"}
    return settings.read({"DATABASE_URL": server.url(database=name), "MODEL_TOKENS_PER_DAY": "1000000000"} | model)


def p95(work: Callable[[], object], times: int) -> float:
    """Milliseconds."""
    taken = []
    for _ in range(times):
        began = perf_counter()
        assert work()
        taken.append((perf_counter() - began) * 1000)
    return sorted(taken)[int(len(taken) * 0.95)]


def together(work: Callable[[], int]) -> float:
    """Done a second by all of them."""
    done: list[int] = []
    threads = [threading.Thread(target=lambda: done.append(work())) for _ in range(THREADS)]
    began = perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(done) / (perf_counter() - began)


if __name__ == "__main__":
    sys.exit(main("ai", __doc__, figures))
