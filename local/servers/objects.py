"""S3-compatible storage on a loopback port: moto's server, which keeps everything in memory."""

import sys
from pathlib import Path

from local.servers import process
from local.servers.process import Process, Words


class ObjectsServer:
    """One moto server; what it holds ends with it."""

    def __init__(self, home: Path, port: int = 0) -> None:
        self.home, self.port = home, port
        self.process: Process | None = None

    def start(self) -> None:
        """Ready to serve when this returns."""
        self.home.mkdir(parents=True, exist_ok=True, mode=0o700)
        process.stop_leftover(self.home / "objects.pid")
        self.port = process.free_port(self.port)
        words: Words = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(self.port)]
        self.process = process.start("objects", words, self.home)
        process.wait_until(lambda: process.listens(self.port), self.process, 30)

    def stop(self) -> None:
        if self.process:
            self.process.stop()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"
