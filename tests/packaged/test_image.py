"""What `docker compose --profile small` starts, in the files of its image: as nobody, and with its variables alone."""

import os
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from local import parts, state
from local.bundles import compiled, wheels
from local.bundles.declaration import ROOT
from local.bundles.interpreter import interpreter
from local.bundles.places import lay
from local.hosts import call
from local.servers import process
from tests import servers
from tests.packaged.conftest import HERE

SERVER = yaml.safe_load((ROOT / "compose.yaml").read_text())["services"]["server"]


@pytest.fixture
def image() -> Iterator[Path]:
    """What .dockerignore lets in."""
    state.prepare()
    with tempfile.TemporaryDirectory(prefix="image-", dir=state.HOME) as folder:
        Path(folder).chmod(0o755)
        let_in = [line[1:] for line in (ROOT / ".dockerignore").read_text().split() if line.startswith("!")]
        found = [path for name in let_in for path in [ROOT / name, *(ROOT / name).rglob("*")]]
        ours = {str(path.relative_to(ROOT)): path for path in found if path.is_file() and path.suffix != ".pyc"}
        lay(Path(folder), ours)
        yield Path(folder)


def environ(port: int) -> dict[str, str]:
    """Its database is elsewhere, and its ports somebody else's; what the lock has stands for site-packages."""
    said = {name: value for name, value in SERVER["environment"].items() if value}
    packages = [str(compiled.unpacked(wheel)) for wheel in wheels.wanted(wheels.everything(), HERE)]
    said |= {"PYTHONPATH": os.pathsep.join(packages), "PATH": "/usr/bin:/bin"}
    return said | {"DATABASE_URL": servers.fresh_database(), "SERVER_PORT": str(port), "SERVER_HOST": "127.0.0.1"}


def test_the_small_profiles_server_serves_in_its_image(image: Path, tmp_path: Path) -> None:
    first = process.free_port(24_600)
    env = environ(first)
    words: process.Words = [interpreter(), *SERVER["command"][1:]]
    running = process.start("server", words, tmp_path, env=env, cwd=image, unprivileged=process.is_root())
    try:
        process.wait_until(lambda: process.listens(first + parts.POLLER_PORT - parts.PUBLIC[0].port), running, 90)
        assert [call.send(first + at, "GET", "/readyz").status for at in range(3)] == [200, 200, 200]
    finally:
        running.stop(seconds=40)
    assert "a part ended" not in running.log.read_text()


@pytest.mark.parametrize("verb", [["admin", "org", "create", "acme"], ["doctor"]], ids=" ".join)
def test_what_the_guides_say_inside_the_image_is_there(image: Path, verb: list[str]) -> None:
    words: process.Words = [interpreter(), "-m", "local", *verb]
    done = subprocess.run(words, cwd=image, env=environ(0), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
