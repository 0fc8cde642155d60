"""An encrypted door to a Postgres that has none: stunnel, which speaks enough of its protocol to be asked for TLS."""

from pathlib import Path

from local.servers import process
from local.servers.process import Process
from tests.certificates import Certificates

HINT = "On Debian or Ubuntu: apt install stunnel4; on macOS: brew install stunnel."
CONFIGURATION = """
foreground = yes
pid =
[postgres]
accept = 127.0.0.1:{port}
connect = 127.0.0.1:{postgres}
cert = {certificate}
key = {key}
protocol = pgsql
"""


class EncryptedDoor:
    """stunnel on a loopback port, with the server certificate of a test."""

    def __init__(self, home: Path, postgres_port: int, certificates: Certificates) -> None:
        self.home, self.postgres_port, self.certificates, self.port = home, postgres_port, certificates, 0
        self.process: Process | None = None

    def start(self) -> None:
        self.home.mkdir(parents=True, exist_ok=True)
        self.port = process.free_port()
        settings = self.home / "stunnel.conf"
        settings.write_text(
            CONFIGURATION.format(
                port=self.port,
                postgres=self.postgres_port,
                certificate=self.certificates.server_crt,
                key=self.certificates.server_key,
            )
        )
        self.process = process.start("stunnel", [process.program("stunnel4", HINT), settings], self.home)
        process.wait_until(lambda: process.listens(self.port), self.process, 10)

    def stop(self) -> None:
        if self.process:
            self.process.stop()
