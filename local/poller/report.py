"""How far each station is behind: a line a minute, and /lag, /health and /metrics on a port."""

import json
import threading
import time
from collections.abc import Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from common import log, settings
from common.clients.postgres.database import Database
from common.clients.stream import Stream
from common.edge import scrape
from common.errors import Misconfigured, Problem, Unavailable
from common.metrics import samples
from local.poller import gauges
from local.poller.feeder import Feeder

MINUTE = 60.0
# A loop that did not come around for so long is stuck; it waits for nothing longer than the stream's own time-outs.
STUCK_SECONDS = 60.0


class Report:
    def __init__(self, stream: Stream, feeders: Sequence[Feeder], database: Database) -> None:
        self._stream, self._feeders, self._database = stream, feeders, database

    def lag(self) -> dict[str, object]:
        """By station: records not answered yet in the partitions that are ours, and what holds it up. None: unknown."""
        ends: dict[str, dict[int, tuple[int, int]]] = {}
        try:
            ends = {topic: self._stream.ends(topic) for topic in {one.station.topic for one in self._feeders}}
        except (Unavailable, Misconfigured) as error:
            return {"error": str(error), "stations": {one.station.name: self._one(one, {}) for one in self._feeders}}
        return {"stations": {one.station.name: self._one(one, ends[one.station.topic]) for one in self._feeders}}

    def health(self) -> tuple[int, dict[str, object]]:
        """Whether the loops go around. A station that is away or a stopped partition is told, and not mended

        by restarting the poller, so it stays 200.
        """
        now = time.monotonic()
        stuck = [one.station.name for one in self._feeders if now - one.turned_at > STUCK_SECONDS]
        stations = {
            one.station.name: {"stopped": one.troubles(), "waits_for": one.waits_for()} for one in self._feeders
        }
        return (503 if stuck else 200), {"status": "stuck" if stuck else "ok", "stuck": stuck, "stations": stations}

    def metrics(self) -> str:
        return samples.page("poller", gauges.standing(self._stream, self._feeders, self._database))

    def say_every_minute(self, stopping: threading.Event) -> None:
        while not stopping.wait(MINUTE):
            log.write("info", "poller: lag", **self.lag())

    def _one(self, feeder: Feeder, ends: dict[int, tuple[int, int]]) -> dict[str, object]:
        positions = feeder.positions()
        behind = gauges.behind(positions, ends)
        return {
            "topic": feeder.station.topic,
            "group": feeder.station.group,
            "lag": sum(behind.values()) if ends else None,  # the stream did not say where it ends
            "partitions": {
                partition: {"position": position, "lag": behind.get(partition)}
                for partition, position in positions.items()
            },
            "stopped": feeder.troubles(),
            "waits_for": feeder.waits_for(),
        }


def serve(report: Report, host: str, port: int) -> ThreadingHTTPServer:
    """In a thread. What it tells is for whoever runs the poller: off loopback it wants the token."""
    on_loopback = settings.is_loopback(host)

    class Answers(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path in ("/health", "/healthz"):
                status, said = report.health()
                self._answer(status, said if on_loopback else {"status": said["status"]})
            elif self.path == "/lag" and (on_loopback or self._admitted()):
                self._answer(200, report.lag())
            elif self.path == "/metrics" and self._admitted():
                self._send(200, report.metrics().encode(), samples.KIND)
            elif self.path not in ("/lag", "/metrics"):
                self._answer(404, {"error": "there are /health, /lag and /metrics"})

        def _admitted(self) -> bool:
            """If not, that is answered."""
            try:
                scrape.admit({name.lower(): value for name, value in self.headers.items()}, on_loopback=on_loopback)
            except Problem as refused:
                self._answer(refused.status, {"error": refused.detail})
                return False
            return True

        def _answer(self, status: int, value: object) -> None:
            self._send(status, json.dumps(value).encode(), "application/json")

        def _send(self, status: int, content: bytes, kind: str) -> None:
            self.send_response(status)
            self.send_header("content-type", kind)
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  its name there
            pass

    return _listening(host, port, Answers)


def _listening(host: str, port: int, answers: type[BaseHTTPRequestHandler]) -> ThreadingHTTPServer:
    try:
        server = ThreadingHTTPServer((host, port), answers)
    except OSError as error:
        raise Misconfigured(f"POLLER_PORT: {host}:{port} cannot be listened on: {error.strerror}.") from error
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, name="report", daemon=True).start()
    return server
