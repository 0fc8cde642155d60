"""A PgBouncer before a Postgres, in transaction mode unless told otherwise; never as root."""

import os
from pathlib import Path

from local.servers import process
from local.servers.postgres import ROLE, PostgresServer
from local.servers.process import Process

HINT = "On Debian or Ubuntu: apt install pgbouncer; on macOS: brew install pgbouncer."
CONFIGURATION = """
[databases]
* = host=127.0.0.1 port={postgres}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = scram-sha-256
auth_file = {users}
pool_mode = {mode}
default_pool_size = 4
max_client_conn = 200
server_round_robin = 1
ignore_startup_parameters = extra_float_digits
"""


class PoolerServer:
    """Four server connections for however many clients; statements in turn go to different ones on purpose."""

    def __init__(self, home: Path, postgres: PostgresServer, port: int = 0, *, mode: str = "transaction") -> None:
        self.home, self.postgres, self.port, self.mode = home, postgres, port, mode
        self.process: Process | None = None

    def start(self) -> None:
        """Ready to serve when this returns."""
        self.home.mkdir(parents=True, exist_ok=True, mode=0o700)
        process.stop_leftover(self.home / "pooler.pid")
        self.port = process.free_port(self.port)
        users, settings = self.home / "users.txt", self.home / "pgbouncer.ini"
        users.write_text(f'"{ROLE}" "{self.postgres.password(ROLE)}"\n')
        users.chmod(0o600)
        settings.write_text(
            CONFIGURATION.format(postgres=self.postgres.port, port=self.port, users=users, mode=self.mode)
        )
        for path in (self.home, users, settings) if process.is_root() else ():
            os.chown(path, process.NOBODY, process.NOBODY)
        program = process.program("pgbouncer", HINT)
        self.process = process.start("pooler", [program, settings], self.home, unprivileged=process.is_root())
        process.wait_until(lambda: process.listens(self.port), self.process, 10)

    def stop(self) -> None:
        if self.process:
            self.process.stop()

    def url(self, database: str) -> str:
        return f"postgresql://{ROLE}:{self.postgres.password(ROLE)}@127.0.0.1:{self.port}/{database}"
