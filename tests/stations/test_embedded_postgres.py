"""The embedded Postgres where root runs it: as nobody, from wherever the wheel lies."""

import shutil
from pathlib import Path

import psutil
import pytest

from local.servers import postgres, process
from local.servers.postgres import PostgresServer
from tests import servers


@pytest.mark.skipif(not process.is_root(), reason="only root lends its server to nobody")
def test_a_wheel_below_a_folder_of_roots_is_copied_with_its_libraries(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    package = postgres.wheel().parent
    site = tmp_path / "private"
    site.mkdir(mode=0o700)
    shutil.copytree(package / "pginstall18", site / package.name / "pginstall18")
    shutil.copytree(package.parent / f"{package.name}.libs", site / f"{package.name}.libs")
    monkeypatch.setattr(postgres, "wheel", lambda: site / package.name / "pginstall18")
    server = PostgresServer(servers.home() / "servers" / "private", throwaway=True)
    server.start()
    try:
        assert server.process
        assert psutil.Process(server.process.pid).uids().real == process.NOBODY
        assert str(servers.home()) in psutil.Process(server.process.pid).exe()
    finally:
        server.stop()
