"""An ingest on a loopback port that keeps what it is sent and answers by script; and the senders as processes."""

import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple

from local.hosts.web import environment
from tests import servers

Batch = list[dict[str, Any]]


class Said(NamedTuple):
    status: int
    body: bytes
    headers: dict[str, str] = {}  # noqa: RUF012  never changed


Script = Callable[[int, Batch], Said]


def taken(_: int, batch: Batch) -> Said:
    ids = [event.get("event_id") for event in batch]
    return Said(202, json.dumps({"accepted": len(ids), "event_ids": ids, "rejected": []}).encode())


class Stub:
    def __init__(self, script: Script = taken) -> None:
        self.script = script
        self.batches: list[Batch] = []
        self.times: list[float] = []
        self._lock = threading.Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    @property
    def environ(self) -> dict[str, str]:
        return {"INGEST_API_URL": self.url, "PROJECT_API_KEY": "sck_stub"}

    @property
    def events(self) -> Batch:
        return [event for batch in self.batches for event in batch]

    def wait_for(self, batches: int, seconds: float = 30) -> None:
        until = time.monotonic() + seconds
        while len(self.batches) < batches:
            assert time.monotonic() < until, f"{len(self.batches)} batches came"
            time.sleep(0.01)

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _answer(self, body: bytes) -> Said:
        batch = json.loads(body)
        with self._lock:
            self.batches.append(batch)
            self.times.append(time.monotonic())
            number = len(self.batches)
        return self.script(number, batch)

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        stub = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                said = stub._answer(self.rfile.read(int(self.headers["content-length"])))
                self.send_response(said.status)
                for name, value in said.headers.items():
                    self.send_header(name, value)
                self.send_header("content-length", str(len(said.body)))
                self.end_headers()
                self.wfile.write(said.body)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002  its name there
                pass

        return Handler


def start(words: list[str], environ: Mapping[str, str]) -> "subprocess.Popen[str]":
    """`python -m local.NAME …` with nothing in its environment but what is given."""
    return subprocess.Popen(
        [sys.executable, "-m", *words],
        cwd=servers.ROOT,
        env=environment(environ),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


class Ended(NamedTuple):
    code: int
    out: str
    err: str

    @property
    def report(self) -> dict[str, Any]:
        return dict(json.loads(self.out))


def ended(process: "subprocess.Popen[str]", seconds: float = 60) -> Ended:
    out, err = process.communicate(timeout=seconds)
    return Ended(process.returncode, out, err)


def run(words: list[str], environ: Mapping[str, str]) -> Ended:
    return ended(start(words, environ))
