"""Ports of a local stack: each part its own, also while none of them listens yet."""

import socket
import sys
from pathlib import Path

import pytest

from local import state
from local.servers import process


def test_two_parts_never_get_the_same_port(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(state, "HOME", tmp_path)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        wanted = taken.getsockname()[1]
        ports = [state.port_for(name, wanted) for name in ("engine", "worker", "archiver")]
    assert len({wanted, *ports}) == 4
    assert [state.port_for(name, wanted) for name in ("engine", "worker", "archiver")] == ports


def test_a_port_that_another_process_listens_on_is_not_taken_for_ones_own(tmp_path: Path) -> None:
    with socket.socket() as others:
        others.bind(("127.0.0.1", 0))
        others.listen()
        port = others.getsockname()[1]
        child = process.start("idle", [sys.executable, "-c", "import time; time.sleep(60)"], tmp_path)
        assert process.listens(port)
        assert not process.serves(child, port)
        child.stop()
