"""S3-compatible storage on a loopback port: moto's server, which keeps everything until it ends."""

import os
import sys
from http.client import HTTPConnection
from pathlib import Path

from local.servers import process
from local.servers.process import Process, Words

# Anything larger than this many bytes lies in a temporary file instead of in memory.
BUFFER = {"MOTO_S3_DEFAULT_KEY_BUFFER_SIZE": "4096"}


class ObjectsServer:
    """One moto server with this bucket; what it holds ends with it."""

    def __init__(self, home: Path, port: int = 0, bucket: str = "") -> None:
        self.home, self.port, self.bucket = home, port, bucket
        self.process: Process | None = None

    def start(self) -> None:
        """Ready to serve when this returns."""
        self.home.mkdir(parents=True, exist_ok=True, mode=0o700)
        process.stop_leftover(self.home / "objects.pid")
        self.port = process.free_port(self.port)
        words: Words = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(self.port)]
        self.process = process.start("objects", words, self.home, env=os.environ | BUFFER)
        process.wait_until(lambda: process.listens(self.port), self.process, 30)
        if self.bucket:
            self._make_bucket()

    def stop(self) -> None:
        if self.process:
            self.process.stop()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def connections(self) -> dict[str, str]:
        """moto asks for keys and takes any."""
        keys = {"S3_ACCESS_KEY": "local", "S3_SECRET_KEY": "local"}
        return {"S3_ENDPOINT_URL": self.url, "S3_BUCKET": self.bucket} | keys

    def _make_bucket(self) -> None:
        conn = HTTPConnection("127.0.0.1", self.port, timeout=30)
        conn.request("PUT", f"/{self.bucket}")
        assert conn.getresponse().status == 200, "a new server takes any bucket"
        conn.close()
