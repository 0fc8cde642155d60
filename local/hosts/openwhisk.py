"""DigitalOcean Functions on this machine: OpenWhisk's loop, and its controller for `web: raw` before it."""

import json
import os
import signal
import subprocess
import sys
from base64 import b64decode, b64encode
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from local.hosts import call
from local.hosts.web import environment
from local.servers.process import Process

LIMIT = 1024 * 1024  # of what goes in and what comes out
LOOP = Path(__file__).with_name("openwhisk_loop.py")
ACTION = "/fn-0000/signals/function"


class OpenWhisk:
    """One action's container: one invocation at a time, frozen between them if it is asked to be."""

    frozen_between_calls = False
    limit = 100 * LIMIT  # the controller's own, which tests of our own limit must get past

    def __init__(
        self,
        source: str,
        home: Path,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        python: str | Path = sys.executable,
    ) -> None:
        name = f"openwhisk-{source.removesuffix('.py').replace('/', '-')}"
        log = home / f"{name}.log"
        answers, to_us = os.pipe()
        with log.open("ab") as output:
            self.popen = subprocess.Popen(
                [python, str(LOOP), source, str(to_us)],
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=output,
                env=environment(env),
                cwd=cwd,
                pass_fds=[to_us],
            )
        os.close(to_us)
        self.answers = os.fdopen(answers, "rb")
        self.process = Process(name, self.popen, log, home / f"{name}.pid")

    def invoke(self, event: object) -> Any:
        assert self.popen.stdin
        message = {"value": event, "action_name": ACTION, "activation_id": "44794bd6aab74415b4e42a308d880e5b"}
        self.popen.send_signal(signal.SIGCONT)
        self.popen.stdin.write(json.dumps(message).encode() + b"\n")
        self.popen.stdin.flush()
        line = self.answers.readline()
        assert line, f"the function's process ended: {self.process.last_words()}"
        if self.frozen_between_calls:
            self.popen.send_signal(signal.SIGSTOP)
        return self.taken(line)

    def taken(self, line: bytes) -> Any:
        """What the platform makes of the answer: one that is no object, or too large, is an error."""
        if len(line) > self.limit:
            return {"error": f"The response is {len(line)} bytes, and may be {self.limit}."}
        result = json.loads(line)
        if isinstance(result, dict | list) or result is None:
            return result
        return {"error": "The action did not return a dictionary or array."}

    def request(
        self, method: str, target: str, headers: Mapping[str, str] | None = None, body: bytes = b""
    ) -> call.Answer:
        event = http_event(method, target, headers or {}, body)
        if len(json.dumps(event)) > self.limit:
            return call.Answer(413, [], b"")
        return answer_of(self.invoke(event))

    def lines(self) -> list[dict[str, Any]]:
        return call.json_lines(self.process.log.read_text())

    def stop(self) -> None:
        assert self.popen.stdin
        self.popen.send_signal(signal.SIGCONT)
        self.popen.stdin.close()
        self.process.stop()
        self.answers.close()


def http_event(method: str, target: str, headers: Mapping[str, str], body: bytes = b"") -> dict[str, Any]:
    """What a raw web action gets: one value a header, JSON and binary as base64, other text as text."""
    path, _, query = target.partition("?")
    lower = {name.lower(): value for name, value in headers.items()}
    is_text = lower.get("content-type", "").startswith("text/")
    http = {
        "method": method,
        "path": path,
        "queryString": query,
        "headers": {"host": "127.0.0.1", **lower, "x-forwarded-proto": "https", "x-forwarded-for": "203.0.113.7"},
        "isBase64Encoded": bool(body) and not is_text,
        "body": body.decode() if is_text else b64encode(body).decode(),
    }
    return {"http": http}


def answer_of(result: Any) -> call.Answer:
    """What the controller sends: base64 is decoded where the content type is binary, `error` is 502."""
    if "error" in result:
        return call.Answer(502, [], json.dumps(result).encode())
    headers: list[tuple[str, str]] = []
    for name, value in result.get("headers", {}).items():
        headers += [(name, one) for one in (value if isinstance(value, list) else [value])]
    kind = next((value for name, value in headers if name == "content-type"), "text/plain")
    body = result.get("body", "")
    content = b64decode(body) if _is_binary(kind) else body.encode()
    return call.Answer(result.get("statusCode", 200 if content else 204), headers, content)


def _is_binary(kind: str) -> bool:
    """As Apache's controller tells them apart."""
    plain = kind.partition(";")[0].strip().lower()
    return not (plain.startswith("text/") or plain.endswith(("json", "xml", "javascript", "x-www-form-urlencoded")))
