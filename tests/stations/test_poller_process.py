"""The poller as the process people deploy: what it tells, how it ends, and the clock in it."""

import json
import os
import signal
import sys
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from local.hosts.web import environment
from local.poller import clock
from local.servers import process
from tests import servers
from tests.pollers import ALL_TAKEN, KEY, Room, Scripted, numbered
from tests.streams import wait_for


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    made = Room("postgres", tmp_path)
    yield made
    made.close()


@pytest.fixture
def station() -> Iterator[Scripted]:
    made = Scripted(lambda _: ALL_TAKEN, 0)
    yield made
    made.close()


def start(room: Room, folder: Path, environ: dict[str, str]) -> process.Process:
    words: process.Words = [sys.executable, "-m", "local.poller"]
    env = environment(room.environ | {"INTERNAL_KEY": f"{KEY},the-old-key"} | environ)
    return process.start("poller", words, folder, env=env, cwd=servers.ROOT)


def test_it_feeds_wakes_and_tells_and_leaves_when_told(room: Room, station: Scripted, tmp_path: Path) -> None:
    port = process.free_port()
    environ = {"POLLER_STATIONS": f"indexer={station.url}", "POLLER_SCHEDULES": f"sweep_jobs={station.url}/sweep"}
    poller = start(room, tmp_path, environ | {"POLLER_PORT": str(port)})
    room.topic = "signals.raw.v1"
    room.publish(numbered(20))
    wait_for(
        lambda: sum(len(records) for body in station.bodies for records in body.get("records", {}).values()) == 20, 15
    )
    wait_for(lambda: {} in station.bodies, 10)  # a tick
    assert set(station.keys) == {KEY}

    address = f"http://127.0.0.1:{port}"
    wait_for(lambda: httpx.get(f"{address}/lag").json()["stations"]["indexer"]["lag"] == 0, 10)
    lag = httpx.get(f"{address}/lag").json()["stations"]["indexer"]
    assert len(lag["partitions"]) == 12
    assert sum(one["position"] for one in lag["partitions"].values()) == 20
    assert httpx.get(f"{address}/health").json()["status"] == "ok"
    assert httpx.get(f"{address}/other").status_code == 404

    station.close()
    room.publish(numbered(7))
    wait_for(lambda: httpx.get(f"{address}/lag").json()["stations"]["indexer"]["lag"] == 7, 10)
    wait_for(lambda: "the station" in httpx.get(f"{address}/lag").json()["stations"]["indexer"]["waits_for"], 10)
    told = httpx.get(f"{address}/metrics").text.splitlines()
    assert 'signals_lag_records{station="indexer"} 7' in told
    assert 'signals_station_away{station="indexer"} 1' in told
    assert "signals_ai_job_age_seconds 0.0" in told
    assert any(line.startswith('signals_deliveries_total{station="indexer",outcome="taken"}') for line in told)
    os.kill(poller.pid, signal.SIGTERM)
    assert poller.popen.wait(10) == 0
    assert "Traceback" not in poller.log.read_text()


def test_off_loopback_it_tells_strangers_only_that_it_lives(room: Room, tmp_path: Path) -> None:
    port = process.free_port()
    environ = {"POLLER_SCHEDULES": "here", "POLLER_PORT": str(port), "POLLER_HOST": "0.0.0.0", "METRICS_TOKEN": "t"}
    poller, address = start(room, tmp_path, environ), f"http://127.0.0.1:{port}"
    wait_for(lambda: process.listens(port), 15)
    assert httpx.get(f"{address}/health").json() == {"status": "ok"}
    assert {httpx.get(f"{address}{path}").status_code for path in ("/lag", "/metrics")} == {401}
    token = {"authorization": "Bearer t"}
    assert "signals_ai_jobs" in httpx.get(f"{address}/metrics", headers=token).text
    assert httpx.get(f"{address}/lag", headers=token).json() == {"stations": {}}
    poller.stop()


@pytest.mark.parametrize(
    ("environ", "sentence"),
    [
        ({}, "there is nothing to do"),
        (
            {"POLLER_STATIONS": "indexer=http://127.0.0.1:1", "POLLER_PORT": "0", "DATABASE_URL": ""},
            "DATABASE_URL is not",
        ),
        ({"POLLER_STATION": "indexer=http://127.0.0.1:1"}, "did you mean POLLER_STATIONS?"),
        ({"POLLER_SCHEDULES": "here", "POLLER_PORT": "taken"}, "cannot be listened on"),
    ],
)
def test_what_is_wrong_with_its_settings_is_one_sentence(
    room: Room, station: Scripted, tmp_path: Path, environ: dict[str, str], sentence: str
) -> None:
    taken = station.url.rpartition(":")[2]
    poller = start(room, tmp_path, {name: value.replace("taken", taken) for name, value in environ.items()})
    assert poller.popen.wait(15) == 2
    assert sentence in poller.log.read_text()
    assert "Traceback" not in poller.log.read_text()


def test_a_job_that_fails_is_woken_again_and_one_that_does_not_exist_is_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    assert clock.here("no_such_job") is None
    woken: list[datetime] = []
    stopping = threading.Event()

    def wake() -> bool:
        woken.append(datetime.now(UTC))
        if len(woken) == 4:
            stopping.set()
        return len(woken) != 2

    clock.keep_waking(wake, 0.01, stopping)
    assert len(woken) == 4


def test_a_job_in_this_process_gets_the_hosts_clock_and_its_failure_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "schedules").mkdir()
    body = "import sys\ncalls = []\ndef run(now):\n    calls.append(now)\n    return 1 // (len(calls) - 1)\n"
    (tmp_path / "schedules/failing_once.py").write_text(body)
    monkeypatch.syspath_prepend(str(tmp_path))
    for name in [name for name in sys.modules if name.partition(".")[0] == "schedules"]:
        monkeypatch.delitem(sys.modules, name)
    wake = clock.here("failing_once")
    assert wake
    assert wake() is False
    assert wake() is True
    assert sys.modules["schedules.failing_once"].calls[0].tzinfo is UTC
    [said] = [json.loads(line) for line in capfd.readouterr().err.splitlines()]
    assert said["job"] == "failing_once"
    assert "ZeroDivisionError" in said["error"]
