"""One server: `python -m local.server` migrates, serves everything, brings back what dies, and stops cleanly."""

import json
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import psutil
import pytest

from common import credentials, settings
from common.clients.postgres.connection import Connection
from local import parts, seed
from local.hosts import call
from local.servers import process
from local.servers.process import Process
from tests import servers

EVENT = {"event_type": "error", "occurred_at": "2026-03-01T12:00:00Z", "message": "boom"}


class Running(NamedTuple):
    process: Process
    port: int
    conn: Connection
    key: str
    token: str

    def children(self) -> dict[str, psutil.Process]:
        """By the module they run."""
        found = psutil.Process(self.process.pid).children()
        return {next(word for word in one.cmdline()[2:] if "." in word): one for one in found}

    def lines(self) -> list[dict[str, Any]]:
        return call.json_lines(self.process.log.read_text())


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """On a database that nobody has migrated yet."""
    owner = servers.postgres().connect()
    owner.run("CREATE DATABASE one_server OWNER signals")
    url = servers.postgres().url(database="one_server")
    port = process.free_port(24_000)
    env = {"PATH": os.environ["PATH"], "DATABASE_URL": url, "SERVER_PORT": str(port)}
    home = tmp_path_factory.mktemp("server")
    running = process.start("server", [sys.executable, "-m", "local.server"], home, env=env, cwd=servers.ROOT)
    process.wait_until(lambda: process.listens(port + parts.POLLER_PORT - parts.PUBLIC[0].port), running, 60)
    conn = Connection(settings.read({"DATABASE_URL": url}).database)
    key, token = (
        credentials.mint(credentials.PROJECT_KEY, b"1" * 24),
        credentials.mint(credentials.ACCESS_TOKEN, b"2" * 24),
    )
    seed.make(conn, key, token)
    yield Running(running, port, conn, key, token)
    conn.close()
    running.stop(seconds=40)
    owner.run("DROP DATABASE one_server WITH (FORCE)")
    owner.close()


def until(happens: Callable[[], bool], seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while not happens():
        assert time.monotonic() < end
        time.sleep(0.05)


def post(server: Running) -> int:
    headers = {"x-api-key": server.key, "content-type": "application/json"}
    return call.send(server.port, "POST", "/v1/events", headers, json.dumps(EVENT).encode()).status


def counted(server: Running) -> int:
    [[value]] = server.conn.run("SELECT coalesce(sum(value), 0) FROM activity")
    return int(value)


def test_an_event_goes_all_the_way(server: Running) -> None:
    before = counted(server)
    assert post(server) == 202
    until(lambda: counted(server) == before + 1)
    bearer = {"authorization": f"Bearer {server.token}"}
    assert call.send(server.port + 1, "GET", "/v1/incidents", bearer).status == 200
    assert call.send(server.port + 2, "GET", "/sign-in").status == 200


def test_what_dies_is_started_again_and_nothing_is_lost(server: Running) -> None:
    before = counted(server)
    engine = server.children()["functions.incident_engine.main:asgi"]
    engine.send_signal(signal.SIGKILL)
    assert post(server) == 202
    until(lambda: counted(server) == before + 1)
    assert [line["part"] for line in server.lines() if line.get("message") == "server: a part ended"] == [
        "incident_engine"
    ]


def test_only_what_is_public_may_leave_loopback_and_the_stations_want_a_key(server: Running) -> None:
    stations = [part.port - parts.PUBLIC[0].port for part in parts.STATIONS if part.name != "archiver"]
    assert {call.send(server.port + at, "POST", "/", {}, b"{}").status for at in stations} == {401}


def test_told_to_stop_it_leaves_nothing_running(server: Running) -> None:
    children = list(server.children().values())
    server.process.popen.send_signal(signal.SIGTERM)
    assert server.process.popen.wait(40) == 0
    assert not [one for one in children if one.is_running() and one.status() != psutil.STATUS_ZOMBIE]


def test_it_waits_for_a_database_that_is_not_there_yet_and_can_be_stopped_while_it_waits(tmp_path: Path) -> None:
    env = {"PATH": os.environ["PATH"], "DATABASE_URL": "postgresql://a:b@127.0.0.1:1/c"}
    waiting = process.start("waiting", [sys.executable, "-m", "local.server"], tmp_path, env=env, cwd=servers.ROOT)
    until(lambda: "waits for Postgres" in waiting.last_words())
    waiting.popen.send_signal(signal.SIGTERM)
    assert waiting.popen.wait(10) == 0
    assert "everything is started" not in waiting.last_words()
