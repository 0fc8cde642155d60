"""compose.yaml, checked by Docker's own reader (which needs no engine); starting it needs one and is CI's work."""

import json
import os
import re
import subprocess
from typing import Any

import pytest

from common import lookup
from local import parts, stacks
from local.servers import process
from tests.servers import ROOT

HINT = "Docker with its compose plugin; no engine needs to run."
TEXT = (ROOT / "compose.yaml").read_text()


@pytest.fixture(scope="module")
def docker() -> str:
    found = process.program("docker", HINT)
    if subprocess.run([found, "compose", "version"], capture_output=True, check=False).returncode:
        raise process.Missing(f"docker has no compose plugin. {HINT}")
    return found


def resolved(docker: str, profile: str) -> dict[str, dict[str, Any]]:
    """The services a profile starts, as Docker reads them."""
    environ = {"PATH": os.environ["PATH"], "SIGNALS_PG_PASSWORD": "x"}
    words = [docker, "compose", "--profile", profile, "config", "--format", "json"]
    done = subprocess.run(words, cwd=ROOT, env=environ, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout)["services"])


@pytest.mark.parametrize(
    ("profile", "services"),
    [
        ("small", {"postgres", "server"}),
        ("stores", set(stacks.COMPOSE_STORES)),
        ("functions", {*stacks.COMPOSE_STORES, "functions"}),
        ("observe", {"postgres", "prometheus", "grafana"}),
    ],
)
def test_a_profile_starts_what_it_says(docker: str, profile: str, services: set[str]) -> None:
    assert set(resolved(docker, profile)) == services


@pytest.mark.parametrize(("profile", "name"), [("small", "server"), ("functions", "functions")])
def test_the_one_server_may_do_little_and_comes_back(docker: str, profile: str, name: str) -> None:
    server = resolved(docker, profile)[name]
    assert server["command"] == ["python", "-m", "local.server"]
    assert (server["restart"], server["read_only"], server["user"]) == ("unless-stopped", True, "nobody")
    assert (server["cap_drop"], server["security_opt"]) == (["ALL"], ["no-new-privileges:true"])
    published = {(one["host_ip"], one["published"], one["target"]) for one in server["ports"]}
    assert published == {("127.0.0.1", str(part.port), part.port) for part in parts.PUBLIC}
    assert server["depends_on"]["postgres"]["condition"] == "service_healthy"
    assert set(server["environment"]) <= lookup.NAMES | {"FORWARDED_ALLOW_IPS"}


def test_the_small_one_knows_no_store_but_postgres(docker: str) -> None:
    services = resolved(docker, "small")
    names = {name for name, value in services["server"]["environment"].items() if value}
    assert names == {"DATABASE_URL", "PG_SSLMODE", "SERVER_HOST", "FORWARDED_ALLOW_IPS"}
    assert services["postgres"]["restart"] == "unless-stopped"


def test_without_a_password_it_says_how_to_start(docker: str) -> None:
    environ = {name: value for name, value in os.environ.items() if name != "SIGNALS_PG_PASSWORD"}
    words = [docker, "compose", "config", "--quiet"]
    done = subprocess.run(words, cwd=ROOT, env=environ, capture_output=True, text=True, check=False)
    assert "start with make up STACK=compose" in done.stderr


def test_every_image_is_pinned_and_every_port_is_on_loopback() -> None:
    images = re.findall(r"image: (\S+)", TEXT)
    assert images
    assert all(re.search(r":(v?\d+\.\d+|local)", image) for image in images), images
    published = re.findall(r'"([\d.]*:?\d+:\d+)"', TEXT)
    assert published
    assert all(port.startswith("127.0.0.1:") for port in published), published
    assert TEXT.count("network_mode: host") == 2  # these publish nothing, and say themselves where they listen
    assert "--web.listen-address=127.0.0.1:" in TEXT
    assert "GF_SERVER_HTTP_ADDR: 127.0.0.1" in TEXT


def test_the_harness_and_compose_agree_on_names_and_ports() -> None:
    for store in stacks.COMPOSE_STORES:
        assert f"\n  {store}:\n" in TEXT
    for name, value in stacks.compose_connections().items():
        if port := re.search(r"127\.0\.0\.1:(\d+)", value):
            assert f"127.0.0.1:{port[1]}:" in TEXT, name
