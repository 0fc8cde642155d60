"""compose.yaml, checked by Docker's own reader (which needs no engine); starting it needs one and is CI's work."""

import os
import re
import subprocess

import pytest

from local import stacks
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


@pytest.mark.parametrize("profile", [[], ["--profile", "functions"], ["--profile", "small"], ["--profile", "observe"]])
def test_docker_accepts_it(docker: str, profile: list[str]) -> None:
    environ = os.environ | {"SIGNALS_PG_PASSWORD": "x"}
    words = [docker, "compose", *profile, "config", "--quiet"]
    done = subprocess.run(words, cwd=ROOT, env=environ, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


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
