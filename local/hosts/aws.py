"""AWS Lambda on this machine: AWS's own runtime client, and a small Runtime API that hands it events."""

import json
import sys
import time
from base64 import b64decode, b64encode
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from queue import SimpleQueue
from threading import Thread
from typing import Any, NamedTuple
from urllib.parse import unquote

from local.hosts import call
from local.hosts.web import environment
from local.servers import process

LIMIT = 6 * 1024 * 1024  # of an invocation's event, and of what it gives back
TOO_LARGE = "Function.ResponseSizeTooLarge"
NEXT = "/2018-06-01/runtime/invocation/next"


class Outcome(NamedTuple):
    """What the function gave back, or the error document of an invocation that failed."""

    result: Any = None
    error: dict[str, Any] | None = None


class RuntimeApi(ThreadingHTTPServer):
    """Lambda's Runtime API: `next` waits for an event, `response` and `error` end it."""

    daemon_threads, block_on_close = True, False
    limit = 100 * LIMIT  # the platform's own, which tests of our own limit must get past

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.events: SimpleQueue[bytes] = SimpleQueue()
        self.outcomes: SimpleQueue[Outcome] = SimpleQueue()
        self.asked: SimpleQueue[float] = SimpleQueue()  # when the function was ready for work, each time
        Thread(target=self.serve_forever, daemon=True).start()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A function that is killed hangs up in the middle."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    server: RuntimeApi
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        assert self.path == NEXT, self.path
        self.server.asked.put(time.monotonic())
        event = self.server.events.get()
        # Without a content type the runtime client dies without a word.
        headers = {
            "Content-Type": "application/json",
            "Lambda-Runtime-Aws-Request-Id": "8476a536-e9f4-11e8-9739-2dfe598c3fcd",
            "Lambda-Runtime-Deadline-Ms": str(int(time.time() * 1000) + 30_000),
            "Lambda-Runtime-Invoked-Function-Arn": "arn:aws:lambda:eu-central-1:123456789012:function:ours",
        }
        self._send(200, event, headers)

    def do_POST(self) -> None:
        said = self.rfile.read(int(self.headers["Content-Length"]))
        body = json.loads(said or b"null")
        if len(said) > self.server.limit:
            body = {"errorType": TOO_LARGE, "errorMessage": f"{len(said)} bytes, and may be {self.server.limit}"}
        failed = self.path.endswith("/error") or len(said) > self.server.limit
        self.server.outcomes.put(Outcome(error=body) if failed else Outcome(body))
        self._send(202, b"{}", {"Content-Type": "application/json"})

    def _send(self, status: int, body: bytes, headers: Mapping[str, str]) -> None:
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_args: object) -> None:
        """The function's own log is the one that counts."""


class Lambda:
    """One function under awslambdaric, and API Gateway's HTTP API (payload 2.0) before it."""

    def __init__(
        self,
        source: str,
        home: Path,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        stage: str = "",
        python: str | Path = sys.executable,
    ) -> None:
        self.api, self.stage = RuntimeApi(), stage
        given = {"AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{self.api.server_port}", **(env or {})}
        name = f"lambda{stage}-{source.removesuffix('.py').replace('/', '-')}"
        words: process.Words = [python, "-m", "awslambdaric", f"{source.removesuffix('.py')}.aws"]
        self.process = process.start(name, words, home, env=environment(given), cwd=cwd)

    def invoke(self, event: object) -> Outcome:
        self.api.events.put(json.dumps(event).encode())
        return self.api.outcomes.get(timeout=30)

    def request(
        self, method: str, target: str, headers: Mapping[str, str] | None = None, body: bytes = b""
    ) -> call.Answer:
        event = http_event(method, target, headers or {}, body, self.stage)
        if len(json.dumps(event)) > self.api.limit:
            return call.Answer(413, [], b"")
        outcome = self.invoke(event)
        if outcome.error and outcome.error["errorType"] == TOO_LARGE:
            return call.Answer(502, [], b"")
        assert outcome.error is None, outcome.error
        return answer_of(outcome.result)

    def lines(self) -> list[dict[str, Any]]:
        return call.json_lines(self.process.log.read_text())

    def stop(self) -> None:
        self.process.stop()
        self.api.shutdown()
        self.api.server_close()


def http_event(
    method: str, target: str, headers: Mapping[str, str], body: bytes = b"", stage: str = ""
) -> dict[str, Any]:
    """What API Gateway makes of a request: cookies apart, binary as base64, the named stage in the path."""
    path, _, query = target.partition("?")
    lower = {name.lower(): value for name, value in headers.items()}
    cookies = lower.pop("cookie", "").split("; ")
    text = _as_text(body)
    event: dict[str, Any] = {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": unquote(f"/{stage}{path}" if stage else path),
        "rawQueryString": query,
        "cookies": cookies,
        "headers": {"host": "127.0.0.1", **lower, "x-forwarded-proto": "https", "x-forwarded-for": "203.0.113.7"},
        "requestContext": {
            "stage": stage or "$default",
            "http": {"method": method, "path": path, "protocol": "HTTP/1.1", "sourceIp": "203.0.113.7"},
        },
        "body": b64encode(body).decode() if text is None else text,
        "isBase64Encoded": text is None,
    }
    if cookies == [""]:
        del event["cookies"]
    if not body:
        del event["body"]
    return event


def answer_of(result: Any) -> call.Answer:
    """What API Gateway sends to the caller."""
    body = b64decode(result["body"]) if result.get("isBase64Encoded") else result["body"].encode()
    headers = [*result["headers"].items(), *(("set-cookie", cookie) for cookie in result.get("cookies", []))]
    return call.Answer(result["statusCode"], headers, body)


def _as_text(body: bytes) -> str | None:
    try:
        return body.decode()
    except UnicodeDecodeError:
        return None
