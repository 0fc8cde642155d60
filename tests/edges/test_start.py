"""How a function starts: the command lines that work, and what a missing key does."""

import subprocess
import sys

import pytest

from local.hosts import call
from local.hosts.web import environment
from local.servers import process
from tests.edges.conftest import ROOT, Hosts

OURS = ("functions_framework", "--source", "tests/edges/sample_stream.py", "--target", "gcp", "--asgi")
UVICORN = ("uvicorn", "tests.edges.sample_stream:asgi")


def ran(*argv: str, env: dict[str, str] | None = None) -> "subprocess.CompletedProcess[str]":
    """Runs until it ends; a server that starts would not, so that is a failure here."""
    command = [sys.executable, "-m", *argv]
    return subprocess.run(
        command, cwd=ROOT, env=environment(env), capture_output=True, text=True, timeout=20, check=False
    )


@pytest.mark.parametrize(
    ("argv", "env"),
    [
        (OURS, {}),  # functions-framework's own default is every address
        ((*OURS, "--host", "0.0.0.0"), {}),
        ((*OURS, "--host=10.1.2.3"), {"HOST": "127.0.0.1"}),
        (OURS, {"HOST": "0.0.0.0", "INTERNAL_KEY": " , "}),
        ((*UVICORN, "--host", "0.0.0.0"), {}),
        (UVICORN, {"UVICORN_HOST": "0.0.0.0"}),
        (("functions_framework", "--source", "tests/edges/sample_clock.py", "--target", "gcp", "--asgi"), {}),
    ],
)
def test_without_a_key_a_host_that_is_not_loopback_does_not_start(argv: tuple[str, ...], env: dict[str, str]) -> None:
    done = ran(*argv, env=env)
    assert done.returncode == 2
    assert done.stderr.startswith("INTERNAL_KEY is not set:")
    assert len(done.stderr.splitlines()) == 1


def test_platform_beside_keys_does_not_start() -> None:
    done = ran(*OURS, env={"INTERNAL_KEY": "platform,a-key"})
    assert (done.returncode, "not both" in done.stderr) == (2, True)


@pytest.mark.parametrize(
    ("env", "host"),
    [({}, "127.0.0.1"), ({"INTERNAL_KEY": "platform"}, "0.0.0.0")],  # a laptop; a platform that guards the door
)
def test_without_a_key_the_door_is_open_where_that_is_said(hosts: Hosts, env: dict[str, str], host: str) -> None:
    port = process.free_port()
    words: process.Words = [sys.executable, "-m", *OURS, "--host", host, "--port", str(port)]
    server = process.start(f"open-{host}", words, hosts.home, env=environment(env), cwd=ROOT)
    try:
        process.wait_until(lambda: process.listens(port), server, 20)
        assert call.send(port, "POST", "/", {}, b'{"records": {}}').status == 200
    finally:
        server.stop()


@pytest.mark.parametrize("words", [("--asgi",), ()])  # the registration makes it work without, too
def test_functions_framework_finds_the_function_by_the_name_gcp(hosts: Hosts, words: tuple[str, ...]) -> None:
    port = process.free_port()
    command = [sys.executable, "-m", "functions_framework", "--source", "tests/edges/sample_http.py"]
    command += ["--target", "gcp", "--host", "127.0.0.1", "--port", str(port), *words]
    server = process.start(f"named{len(words)}", [*command], hosts.home, env=environment({}), cwd=ROOT)
    try:
        process.wait_until(lambda: process.listens(port), server, 20)
        assert call.send(port, "GET", "/x").json()["path"] == "/x"
    finally:
        server.stop()


def test_on_lambda_a_missing_key_refuses_every_caller_and_no_event_source(hosts: Hosts) -> None:
    from local.hosts.aws import Lambda

    host = Lambda("tests/edges/sample_stream.py", hosts.home, cwd=ROOT)
    try:
        answer = host.request("POST", "/", {"x-internal-key": ""}, b'{"records": {}}')
        assert (answer.status, answer.json()["code"]) == (500, "misconfigured")
        assert host.invoke({"records": {}}).result == {"batchItemFailures": []}
    finally:
        host.stop()


def test_a_moved_clock_is_refused_where_a_store_is_remote(hosts: Hosts) -> None:
    remote = {"INTERNAL_KEY": "a-key", "CLOCK_OFFSET_SECONDS": "60", "DATABASE_URL": "postgresql://a:b@db.example/x"}
    done = ran(*OURS, env=remote)
    assert (done.returncode, done.stderr.startswith("CLOCK_OFFSET_SECONDS")) == (2, True)


def test_a_moved_clock_moves_the_tick(hosts: Hosts) -> None:
    code = "from common.edge import clocks; print(clocks.now().year)"
    env = environment({"CLOCK_OFFSET_SECONDS": str(400 * 86_400)})
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=env, capture_output=True, text=True, check=True)
    plain = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=environment({}), capture_output=True, text=True, check=True
    )
    assert int(done.stdout) > int(plain.stdout)
