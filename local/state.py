"""What the harness keeps in .local/: data, keys, logs, ports, and who is running. Nothing is written elsewhere."""

import fcntl
import hashlib
import json
import os
import secrets
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

from common.errors import Misconfigured
from common.variables import VARIABLES
from local.servers import process

ROOT = Path(__file__).parent.parent
HOME = ROOT / ".local"
LOGS, RUN, ENV = HOME / "logs", HOME / "run", HOME / "env"
ROOM = 300 * 1024 * 1024  # a fresh cluster, its first WAL, logs
FIRST_NAMES = ("INGEST_API_URL", "PROJECT_API_KEY", "CORE_API_URL", "ACCESS_TOKEN", "DASHBOARD_URL")
ENV_NAMES = (*FIRST_NAMES, *(variable.name for variable in VARIABLES if variable.name not in FIRST_NAMES))
WATCHED = ("common", "functions", "schedules", "migrations", "local", "constraints.txt", "pyproject.toml")


def prepare() -> None:
    """Make the folder, for this user's eyes only; a full disk is said before anything is half written."""
    if shutil.disk_usage(ROOT).free < ROOM:
        raise Misconfigured(f"The disk under {ROOT} has less than {ROOM // 1024**2} MB left: make room first.")
    for folder in (HOME, LOGS, RUN):
        folder.mkdir(mode=0o700, exist_ok=True)
    HOME.chmod(0o700)
    if process.is_root():
        # Postgres runs as nobody then, and must be able to walk through. Where nobody cannot even come near, it runs in
        # a user namespace as root, which passes only through what is root's.
        owner = process.NOBODY if process.reachable(ROOT) else 0
        os.chown(HOME, owner, owner)


def lock() -> "IO[bytes] | None":
    """Held as long as a harness runs; the kernel lets go of it even after a kill -9. None: somebody has it."""
    file = (HOME / "lock").open("ab")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.close()
        return None
    return file


def running() -> bool:
    """Whether a harness of this folder is running now."""
    if not HOME.exists():
        return False
    file = lock()
    if file:
        file.close()
    return file is None


def remember(name: str, value: Mapping[str, object]) -> None:
    """Keep a small JSON file, replaced whole: a reader sees the old one or the new one."""
    path = HOME / f"{name}.json"
    draft = path.with_suffix(".draft")
    draft.touch(mode=0o600)
    draft.write_text(json.dumps(value, indent=2))
    draft.replace(path)


def recall(name: str) -> dict[str, Any]:
    try:
        return dict(json.loads((HOME / f"{name}.json").read_text()))
    except (OSError, ValueError):
        return {}


def internal_key() -> str:
    """Shared by poller, clock and stations of this laptop; made once."""
    kept = recall("internal")
    if not kept:
        kept = {"key": secrets.token_urlsafe(24)}
        remember("internal", kept)
    return str(kept["key"])


def port_for(name: str, wanted: int = 0) -> int:
    """The port this part had last time if it is free, else the wanted one, else the next free one."""
    kept = recall("ports")
    others = [port for other, port in kept.items() if other != name]  # not listening yet, perhaps
    port = process.free_port(kept.get(name) or wanted, others)
    remember("ports", kept | {name: port})
    return port


def write_env(values: Mapping[str, str]) -> None:
    """NAME=value lines for whoever wants to talk to the stack: `set -a; . .local/env`; empty: not in this stack."""
    draft = HOME / "env.draft"
    draft.touch(mode=0o600)
    draft.write_text("".join(f"{name}={_quoted(values.get(name, ''))}\n" for name in ENV_NAMES))
    draft.replace(ENV)


def read_env() -> dict[str, str]:
    """What write_env wrote, empty where it never ran."""
    if not ENV.exists():
        return {}
    pairs = (line.partition("=") for line in ENV.read_text().splitlines())
    return {name: value.strip("'") for name, _, value in pairs if name}


def code_version() -> str:
    """Changes when the code or what it stands on changes, so that a second start knows what to do."""
    digest = hashlib.sha256()
    for name in WATCHED:
        path = ROOT / name
        files = sorted(path.rglob("*")) if path.is_dir() else [path]
        for file in files:
            if file.suffix in (".py", ".sql", ".json", ".txt", ".toml", ".html", ".css", ".js") and file.is_file():
                digest.update(str(file.relative_to(ROOT)).encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()


def _quoted(value: str) -> str:
    assert "'" not in value, "none of our values has a quote in it"
    return value if value.replace("_", "").replace("-", "").isalnum() or not value else f"'{value}'"
