"""A copy of this project in a folder of its own, used through `make` as a newcomer would."""

import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import psutil

from common.errors import Misconfigured
from local.state import ROOT

LEFT_OUT = shutil.ignore_patterns(".git", ".local", ".venv", "__pycache__", ".*_cache", ".hypothesis", "dist")


class Checkout:
    """The copy shares this environment's .venv, which is complete, so nothing is installed again."""

    def __init__(self, folder: Path) -> None:
        own = Path(tempfile.mkdtemp(prefix="checkout-", dir=folder))
        own.chmod(0o755)  # Postgres runs as nobody for root, and must be able to walk there
        self.root = own / "checkout"
        shutil.copytree(ROOT, self.root, ignore=LEFT_OUT)
        (self.root / ".venv").symlink_to(ROOT / ".venv")
        (self.root / ".local").mkdir(mode=0o700)
        if (ROOT / ".local/jars").exists():
            (self.root / ".local/jars").symlink_to(ROOT / ".local/jars")

    def make(self, *words: str, timeout: float = 120, **environ: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            ["make", f"PYTHON={sys.executable}", *words],
            cwd=self.root,
            env=clean_environment() | environ,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )

    def emulate(self, **environ: str) -> "subprocess.Popen[str]":
        """In the foreground of its own session, as in a terminal; returns when it has told the addresses."""
        process = subprocess.Popen(
            [sys.executable, "local/bootstrap.py", "emulate"],
            cwd=self.root,
            env=clean_environment() | environ,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        assert process.stdout
        for line in process.stdout:
            if line.startswith("Remove everything"):
                return process
        raise AssertionError("emulate ended before it was ready")

    @property
    def account(self) -> dict[str, Any]:
        return dict(json.loads((self.root / ".local/running.json").read_text()))

    def env(self) -> dict[str, str]:
        lines = (self.root / ".local/env").read_text().splitlines()
        return {name: value.strip("'") for name, _, value in (line.partition("=") for line in lines)}

    def processes(self) -> Iterator[psutil.Process]:
        """The harness and everything below it."""
        yield (root := psutil.Process(self.account["pid"]))
        yield from root.children(recursive=True)

    def wait_for_new_account(self, old: dict[str, Any], seconds: float = 30) -> dict[str, Any]:
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            try:
                if (new := self.account) != old:
                    return new
            except (OSError, ValueError):
                pass
            time.sleep(0.05)
        raise AssertionError("the harness did not begin again")

    def remove(self) -> None:
        self.make("down")
        for note in self.root.glob(".local/*/*.pid"):
            os.kill(json.loads(note.read_text())["pid"], signal.SIGKILL)


def clean_environment() -> dict[str, str]:
    """No variable of make's, so that a test run by `make test` starts a make of its own."""
    return {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS", "STACK"))}


def told(root: Path, words: Sequence[str], environ: Mapping[str, str], seconds: float) -> str:
    """What a verb answers for the stack of that folder; raises with its last words if it could not do it."""
    argv = [sys.executable, "-m", "local", *words]
    done = subprocess.run(argv, cwd=root, env=environ, capture_output=True, text=True, timeout=seconds, check=False)
    if done.returncode:
        raise Misconfigured(f"make {shlex.join(words)}: {(done.stderr or done.stdout).strip()[-500:]}")
    return done.stdout
