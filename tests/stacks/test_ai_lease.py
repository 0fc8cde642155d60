"""The AI worker as processes: killed in the middle, frozen past its lease, woken by anything; the job is done once."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import pytest

from common import settings, topics
from common.clients.postgres import jobs
from common.clients.postgres.connection import Connection
from common.clients.stream import dead, stream_for
from common.edge.records import Record
from local.hosts import web
from local.hosts.call import Answer
from local.hosts.web import Web
from local.poller import batch
from schedules.sweep_jobs import wait_after
from tests import servers
from tests.ai import Bench, StandIn, configured, state
from tests.incident import incident, job
from tests.streams import read

KEY = "an-internal-key"
START = Callable[..., "Process"]


class Process:
    """functions/ai_worker under functions-framework, woken as the poller does it."""

    def __init__(self, home: Path, **environ: str) -> None:
        self.host: Web = web.functions_framework("functions/ai_worker/main.py", home, environ, servers.ROOT)

    def wake(self, value: bytes = b'{"job_id": "any"}') -> Answer:
        record = Record(topics.AI_JOBS, 0, 0, 1_772_366_400_000, None, value)
        headers = {"content-type": "application/json", "x-internal-key": KEY}
        return self.host.request("POST", "/", headers, batch.body(topics.AI_JOBS, {0: [batch.item(record)]}))

    def wake_later(self) -> threading.Thread:
        """In the background; a caller whose worker dies hears of it by an error, which is no matter here."""

        def wake() -> None:
            with suppress(OSError):
                self.wake()

        thread = threading.Thread(target=wake, daemon=True)
        thread.start()
        return thread

    def signal(self, number: signal.Signals) -> None:
        """To the server and its workers alike."""
        os.killpg(self.host.process.pid, number)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StandIn]:
    made = StandIn(tmp_path_factory.mktemp("model"))
    yield made
    made.close()


@pytest.fixture
def start(database_url: str, model: StandIn, tmp_path: Path) -> Iterator[START]:
    made: list[Process] = []

    def start(script: str = "") -> Process:
        home = tmp_path / str(len(made))
        home.mkdir()
        environ = {"DATABASE_URL": database_url, "INTERNAL_KEY": KEY, "GRADIENT_BASE_URL": model.url}
        made.append(Process(home, **environ, GRADIENT_MODEL=f"stand-in:{script}"))
        return made[-1]

    yield start
    for one in made:
        one.signal(signal.SIGCONT)
        one.host.stop()


@pytest.fixture
def another(database_url: str, model: StandIn) -> Iterator[Callable[[], int]]:
    """Have another worker take a job, by a clock that is ahead, so that nobody has to wait two minutes."""
    made = Bench(configured(database_url, model.url, "sensible"), datetime.now(UTC) + 2 * jobs.LEASE)
    yield lambda: made.worker.take(1)
    made.close()


def wait_until_asked(conn: Connection, todo: UUID) -> None:
    until = time.monotonic() + 30
    while conn.run("SELECT prompt IS NOT NULL FROM ai_jobs WHERE id = :id", id=todo) != [[True]]:
        assert time.monotonic() < until
        time.sleep(0.02)


def sweep(conn: Connection) -> int:
    """As the sweeper does it, two minutes and a second from now."""
    now = datetime.now(UTC) + jobs.LEASE
    return jobs.expire_leases(conn, now, wait_after)


def answers(conn: Connection) -> list[list[object]]:
    return conn.run("SELECT job_id FROM ai_outputs WHERE model <> 'plain'")


def test_a_job_whose_worker_was_killed_is_done_by_another_once(
    conn: Connection, start: START, another: Callable[[], int]
) -> None:
    todo = job(conn, incident(conn))
    killed = start("endless")
    killed.wake_later()
    wait_until_asked(conn, todo)
    killed.signal(signal.SIGKILL)
    assert sweep(conn) == 1
    assert state(conn, todo) == ("queued", 1, jobs.LEASE_RAN_OUT)
    assert another() == 1
    assert state(conn, todo) == ("succeeded", 1, "")
    assert answers(conn) == [[todo]]


def test_a_worker_that_froze_past_its_lease_finishes_nothing(
    conn: Connection, start: START, another: Callable[[], int]
) -> None:
    todo = job(conn, incident(conn))
    frozen = start("slow")
    thread = frozen.wake_later()
    wait_until_asked(conn, todo)
    frozen.signal(signal.SIGSTOP)
    assert sweep(conn) == 1
    assert another() == 1
    before = conn.run("SELECT id, content_json::text, created_at FROM ai_outputs ORDER BY id")
    frozen.signal(signal.SIGCONT)
    thread.join(30)
    [line] = [line for line in frozen.host.lines() if line["message"] == "ai job"]
    assert line["held"] is False
    assert state(conn, todo) == ("succeeded", 1, "")
    assert answers(conn) == [[todo]]
    assert conn.run("SELECT id, content_json::text, created_at FROM ai_outputs ORDER BY id") == before


def test_whatever_wakes_it_is_answered_well_and_what_is_no_notification_is_buried(
    conn: Connection, start: START, database_url: str
) -> None:
    worker = start("error")
    assert worker.wake().json() == {"batchItemFailures": []}  # nothing is due
    todo = job(conn, incident(conn))
    assert worker.wake(b"not json").json() == {"batchItemFailures": []}  # the job failed
    assert state(conn, todo)[:2] == ("queued", 1)
    stream = stream_for(settings.read({"DATABASE_URL": database_url}))
    reader = stream.reader(topics.DLQ, "test")
    [record] = read(reader, 1, seconds=10)
    letter = dead.read(record.value or b"")
    assert (letter.station, letter.reason.code, letter.value) == ("ai_worker", "not_a_notification", b"not json")
    reader.close()
    stream.close()


LATER = {"openai", "pydantic", "httpx", "httpx2", "tenacity", "pg8000", "asyncio", "ssl", "logging"}


def test_the_models_client_is_loaded_when_a_job_asks_and_not_before() -> None:
    code = "import sys, functions.ai_worker.main; print(' '.join(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=servers.ROOT,
        env=web.environment({"INTERNAL_KEY": KEY}),
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert LATER & set(done.stdout.split()) == set()
