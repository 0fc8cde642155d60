"""The harness, used through make in a copy of the project: start, stop, restart, and what it leaves alone."""

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import httpx
import psutil
import pytest

from common import settings
from common.clients.postgres.connection import Connection
from common.errors import Unavailable
from common.variables import VARIABLES
from local import seed
from local.checkout import Checkout
from local.servers.postgres import PostgresServer
from tests import servers


@pytest.fixture(scope="module")
def checkout() -> Iterator[Checkout]:
    made = Checkout(servers.home())
    yield made
    made.remove()


@pytest.fixture
def up(checkout: Checkout) -> Checkout:
    done = checkout.make("up")
    assert done.returncode == 0, done.stderr + done.stdout
    return checkout


@pytest.fixture(scope="module")
def bystander() -> Iterator[PostgresServer]:
    """Somebody else's Postgres, which plays production: nothing here may touch it."""
    server = PostgresServer(servers.home() / "servers" / "bystander", throwaway=True)
    server.start()
    owner = server.connect("signals", "signals")
    owner.run("CREATE TABLE precious (id int)")
    owner.close()
    yield server
    server.stop()


def tables(server: PostgresServer) -> list[str]:
    conn = server.connect("signals", "signals")
    found = [name for [name] in conn.run("SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1")]
    conn.close()
    return found


def listed(root: Path) -> set[str]:
    return {path.name for path in root.iterdir() if path.name not in (".venv", ".local")} | {
        str(path) for path in root.rglob("*") if ".local" not in path.parts and "__pycache__" not in path.parts
    }


def test_it_writes_only_below_dot_local_and_that_is_for_its_owner_alone(checkout: Checkout) -> None:
    before = listed(checkout.root)
    assert checkout.make("up").returncode == 0
    assert listed(checkout.root) == before
    assert (checkout.root / ".local").stat().st_mode & 0o777 == 0o700
    assert (checkout.root / ".local/env").stat().st_mode & 0o777 == 0o600


def test_it_runs_below_a_folder_that_only_its_owner_may_enter(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir(mode=0o700)
    checkout = Checkout(tmp_path / "mine")
    assert checkout.make("up").returncode == 0
    assert checkout.make("down").returncode == 0
    checkout.remove()


def test_the_environment_file_names_every_variable_from_the_first_day(up: Checkout) -> None:
    names = {"INGEST_API_URL", "PROJECT_API_KEY", "CORE_API_URL", "ACCESS_TOKEN", "DASHBOARD_URL"}
    assert set(up.env()) == names | {one.name for one in VARIABLES}
    assert settings.read({name: value for name, value in up.env().items() if name not in names}).local


def test_the_demo_keys_are_in_the_database(up: Checkout) -> None:
    conn = Connection(settings.read({"DATABASE_URL": up.env()["DATABASE_URL"]}).database)
    assert conn.run("SELECT project_id FROM project_api_keys") == [[seed.PROJECT]]
    assert conn.run("SELECT role FROM access_tokens") == [["admin"]]
    assert conn.run("SELECT rolsuper FROM pg_roles WHERE rolname = current_user") == [[False]]
    conn.close()


def test_everything_listens_on_loopback_only(up: Checkout) -> None:
    ours = {process.pid for process in up.processes()}
    sockets = [one for one in psutil.net_connections("inet") if one.pid in ours and one.status == psutil.CONN_LISTEN]
    assert sockets
    assert {str(one.laddr).split("'")[1] for one in sockets} <= {"127.0.0.1", "::1"}


def test_a_second_call_says_already_running_with_the_same_key(up: Checkout) -> None:
    before = up.account
    for verb in ("up", "emulate"):
        again = up.make(verb)
        assert "already running" in again.stdout
        assert up.env()["PROJECT_API_KEY"] in again.stdout
    assert up.account == before


def test_status_and_health_look_at_every_part(up: Checkout) -> None:
    status, health = up.make("status"), up.make("health")
    assert status.returncode == health.returncode == 0, health.stdout
    assert "postgres" in status.stdout
    assert "together" in status.stdout


def test_after_the_code_changed_a_second_call_begins_again_with_the_same_key(up: Checkout) -> None:
    before, key = up.account, up.env()["PROJECT_API_KEY"]
    version = up.root / "common/version.py"
    version.write_text(version.read_text() + "\n# changed\n")
    again = up.make("up")
    assert "the code changed" in again.stdout, again.stdout + again.stderr
    assert up.account["code"] != before["code"]
    assert up.account["pid"] == before["pid"]
    assert up.env()["PROJECT_API_KEY"] == key


def test_a_killed_harness_needs_no_cleaning(up: Checkout) -> None:
    orphan = psutil.Process(up.account["parts"]["postgres"])
    key = up.env()["PROJECT_API_KEY"]
    os.kill(up.account["pid"], signal.SIGKILL)
    time.sleep(0.2)
    assert orphan.is_running()
    again = up.make("up")
    assert again.returncode == 0, again.stderr
    assert not orphan.is_running()
    assert up.env()["PROJECT_API_KEY"] == key


def test_a_killed_postgres_is_started_again(up: Checkout) -> None:
    postgres = psutil.Process(up.account["parts"]["postgres"])
    postgres.kill()
    where = settings.read({"DATABASE_URL": up.env()["DATABASE_URL"]}).database
    until = time.monotonic() + 20
    while time.monotonic() < until:
        try:
            Connection(where).close()
            break
        except Unavailable:
            time.sleep(0.1)
    else:
        raise AssertionError("Postgres did not come back")


def test_a_killed_function_is_started_again_on_its_port(up: Checkout) -> None:
    first = psutil.Process(up.account["parts"]["ingest"])
    address = up.env()["INGEST_API_URL"]
    first.kill()
    until = time.monotonic() + 20
    while time.monotonic() < until:
        with suppress(httpx.HTTPError):
            if httpx.get(f"{address}/health").is_success and not first.is_running():
                break
        time.sleep(0.1)
    else:
        raise AssertionError("ingest did not come back")


def test_a_note_of_a_process_that_is_not_ours_kills_nobody(up: Checkout, bystander: PostgresServer) -> None:
    assert bystander.process
    up.make("down")
    (up.root / ".local/run/ingest.pid").write_text(f'{{"pid": {bystander.process.pid}, "born": 1.0}}')
    assert up.make("up").returncode == 0
    assert bystander.process.alive


def test_down_stops_what_it_started_and_nothing_else(up: Checkout, bystander: PostgresServer) -> None:
    ours = list(up.processes())
    done = up.make("down")
    assert done.returncode == 0, done.stderr
    _, alive = psutil.wait_procs(ours, timeout=5)
    assert not alive
    assert bystander.process
    assert bystander.process.alive
    assert "nothing is running" in up.make("down").stdout


def test_ctrl_c_stops_the_foreground_and_leaves_the_data(checkout: Checkout) -> None:
    checkout.make("down")
    terminal = checkout.emulate()
    ours = list(checkout.processes())
    os.killpg(terminal.pid, signal.SIGINT)
    out, _ = terminal.communicate(timeout=30)
    assert "stopping" in out
    assert "Traceback" not in out
    assert terminal.returncode == 0
    assert not psutil.wait_procs(ours, timeout=5)[1]
    assert (checkout.root / ".local/postgres/data").exists()


def test_it_is_the_first_thing_that_is_done_in_a_fresh_clone() -> None:
    fresh = Checkout(servers.home())
    shutil.rmtree(fresh.root / ".local")
    terminal = fresh.emulate()
    os.killpg(terminal.pid, signal.SIGINT)
    out, _ = terminal.communicate(timeout=30)
    assert (terminal.returncode, "Traceback" in out) == (0, False)


def test_a_taken_port_means_the_next_one(checkout: Checkout) -> None:
    checkout.make("down")
    (checkout.root / ".local/ports.json").unlink(missing_ok=True)
    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            taken.bind(("127.0.0.1", 3000))
            taken.listen()
        except OSError:
            pass  # somebody else has it already, which serves as well
        done = checkout.make("up")
    assert "(port 3000 was taken)" in done.stdout, done.stderr
    assert checkout.env()["INGEST_API_URL"] not in ("http://127.0.0.1:3000", "")
    checkout.make("down")


def test_two_stacks_that_start_in_the_same_moment_get_ports_of_their_own() -> None:
    both = [Checkout(servers.home()) for _ in range(2)]
    with ThreadPoolExecutor() as threads:
        done = list(threads.map(lambda one: one.make("up"), both))
    assert [one.returncode for one in done] == [0, 0], "\n".join(one.stdout + one.stderr for one in done)
    assert len({one.env()["INGEST_API_URL"] for one in both}) == 2
    for one in both:
        assert one.make("health").returncode == 0
        one.remove()


def test_clean_refuses_a_running_stack_and_removes_only_dot_local(up: Checkout) -> None:
    refused = up.make("clean")
    assert refused.returncode != 0
    assert "make down" in refused.stderr
    up.make("down")
    jars = (up.root / ".local/jars").resolve()
    before = listed(up.root)
    assert up.make("clean").returncode == 0
    assert not (up.root / ".local").exists()
    assert listed(up.root) == before
    assert jars == up.root / ".local/jars" or jars.exists()


def test_a_database_on_another_host_is_named_and_left_alone(checkout: Checkout) -> None:
    for verb in ("emulate", "up"):
        done = checkout.make(verb, DATABASE_URL="postgresql://a:b@db.example/production")
        assert done.returncode != 0
        assert "db.example" in done.stderr
        assert "REMOTE=yes" in done.stderr


def test_a_database_already_set_is_the_one_used(checkout: Checkout, bystander: PostgresServer) -> None:
    owner = bystander.connect()
    owner.run("CREATE DATABASE lent OWNER signals")
    owner.close()
    url = bystander.url(database="lent")
    assert checkout.make("up", DATABASE_URL=url).returncode == 0
    assert checkout.env()["DATABASE_URL"] == url
    assert "postgres" not in checkout.account["parts"]
    checkout.make("down")
    assert bystander.process
    assert bystander.process.alive


def test_the_tests_never_touch_what_the_shell_points_at(checkout: Checkout, bystander: PostgresServer) -> None:
    before = tables(bystander)
    done = checkout.make("test", "ARGS=tests/stations/test_migrations.py", DATABASE_URL=bystander.url(), timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    assert tables(bystander) == before == ["precious"]


def test_doctor_is_well_on_a_running_stack_and_names_what_is_wrong(up: Checkout) -> None:
    well = up.make("doctor")
    assert well.returncode == 0, well.stdout
    assert "all is well" in well.stdout
    assert "ingest 4, " in well.stdout  # of the connections it could open
    many = up.make("doctor", "ARGS=ingest=40")
    assert many.returncode != 0
    assert "ingest 160, " in many.stdout
    wrong = up.env()["DATABASE_URL"].replace("signals:", "signals:x", 1)
    ill = up.make("doctor", DATABASE_URL=wrong)
    assert ill.returncode != 0
    assert "password authentication failed" in ill.stdout
    up.make("down")


@pytest.mark.parametrize(
    ("environ", "sentence"),
    [
        ({"STACK": "big"}, "it may be embedded, native, compose"),
        ({"KAFKA_BROKER": "x:1"}, "did you mean KAFKA_BROKERS?"),
        ({"PG_SSLMODE": "prefer", "DATABASE_URL": "postgresql://a@localhost/b"}, "it may be disable"),
    ],
)
def test_a_mistake_is_one_sentence_and_no_traceback(checkout: Checkout, environ: dict[str, str], sentence: str) -> None:
    done = checkout.make("up", timeout=60, **environ)
    said = done.stdout + done.stderr
    assert done.returncode != 0
    assert sentence in said + Path(checkout.root / ".local/logs/harness.log").read_text()
    assert "Traceback" not in said


def test_help_lists_the_verbs(checkout: Checkout) -> None:
    done = subprocess.run(["make"], cwd=checkout.root, capture_output=True, text=True, check=False)
    assert done.returncode == 0
    assert "emulate" in done.stdout
