"""up, down, clean, emulate: start the stack in front of you or behind you, stop it, remove what it wrote."""

import os
import shutil
import signal
import sys
import time
from collections.abc import Mapping

from common import settings
from common.errors import Misconfigured
from local import harness, state, summary
from local.servers import process
from local.stacks import Stack

UP_SECONDS = 240  # a busy machine takes two minutes for a native stack


def emulate(environ: Mapping[str, str], *, quiet: bool = False) -> int:
    """In the foreground, until Ctrl-C."""
    remote = refuse_remote(environ)
    state.prepare()  # a stack keeps its ports there
    stack = Stack(environ.get("STACK", "embedded"), harness.given_connections(environ))
    return harness.run(stack, remote=remote, quiet=quiet)


def up(environ: Mapping[str, str]) -> int:
    """In the background; returns when all of it answers."""
    refuse_remote(environ)
    state.prepare()
    if state.running():
        return harness.already_running()
    (state.HOME / "running.json").unlink(missing_ok=True)
    words: process.Words = [sys.executable, "-m", "local", "emulate", "--quiet"]
    child = process.start("harness", words, state.LOGS, cwd=state.ROOT, env=environ)
    print(f"starting the {environ.get('STACK', 'embedded')} stack …", flush=True)
    process.wait_until(lambda: bool(state.recall("running")), child, UP_SECONDS)
    print(summary.text(quiet=True))
    return 0


def down() -> int:
    """Stop what runs here, and what a killed run left behind; somebody else's servers are left alone."""
    if not state.HOME.exists():
        print("nothing is running")
        return 0
    if not state.running():
        harness.clear_leftovers()
        print("nothing is running")
        return 0
    pid = int(harness.wait_for_account()["pid"])
    print("stopping …", flush=True)
    os.kill(pid, signal.SIGTERM)
    wait_for_end(pid)
    return 0


def wait_for_end(pid: int, seconds: float = 60) -> None:
    until = time.monotonic() + seconds
    while state.running():
        if time.monotonic() > until:
            raise Misconfigured(f"The harness (process {pid}) does not stop; kill it, then say `make down` again.")
        time.sleep(0.05)
    print("stopped; the data is kept in .local/")


def clean() -> int:
    """Remove data, keys, logs and jars: everything under .local/, and nothing else."""
    if state.running():
        raise Misconfigured("The stack is running: say `make down` first.")
    if state.HOME.is_symlink():
        raise Misconfigured(f"{state.HOME} is a link; remove what it points to yourself.")
    if state.HOME.exists():
        harness.clear_leftovers()
        shutil.rmtree(state.HOME)
    print("removed everything under .local/")
    return 0


def refuse_remote(environ: Mapping[str, str]) -> bool:
    """True if a store is on another machine and the caller said that this is meant."""
    hosts = settings.read(harness.given_connections(environ)).remote_hosts
    if hosts and environ.get("REMOTE") != "yes":
        raise Misconfigured(
            f"Your environment points at {', '.join(hosts)}, which is not this machine. To run local functions "
            "against it, say REMOTE=yes; to use the embedded stores, unset the variable."
        )
    return bool(hosts)
