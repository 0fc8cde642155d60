"""Ports of a local stack: each part its own, also while none of them listens yet."""

import socket
from pathlib import Path

import pytest

from local import state


def test_two_parts_never_get_the_same_port(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(state, "HOME", tmp_path)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        wanted = taken.getsockname()[1]
        ports = [state.port_for(name, wanted) for name in ("engine", "worker", "archiver")]
    assert len({wanted, *ports}) == 4
    assert [state.port_for(name, wanted) for name in ("engine", "worker", "archiver")] == ports
