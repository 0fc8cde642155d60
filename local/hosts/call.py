"""One HTTP call as bytes: nothing followed, nothing unpacked, so that what a host sent is what is compared."""

import json
from collections.abc import Mapping
from http.client import HTTPConnection
from typing import Any, NamedTuple, Protocol

from local.servers.process import Process


class Answer(NamedTuple):
    """Status, headers as they came (names in lower case), body."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes

    def header(self, name: str) -> str | None:
        return next((value for key, value in self.headers if key == name), None)

    def all(self, name: str) -> list[str]:
        return [value for key, value in self.headers if key == name]

    def json(self) -> Any:
        return json.loads(self.body)


class Host(Protocol):
    """Whatever serves our functions: the same request may be put to each of them."""

    process: Process

    def request(
        self, method: str, target: str, headers: Mapping[str, str] | None = None, body: bytes = b""
    ) -> Answer: ...

    def lines(self) -> list[dict[str, Any]]: ...

    def stop(self) -> None: ...


def send(port: int, method: str, target: str, headers: Mapping[str, str] | None = None, body: bytes = b"") -> Answer:
    """A connection of its own to a loopback port."""
    connection = HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request(method, target, body or None, dict(headers or {}))
        response = connection.getresponse()
        content = response.read()
        return Answer(response.status, [(name.lower(), value) for name, value in response.getheaders()], content)
    finally:
        connection.close()


def json_lines(text: str) -> list[dict[str, Any]]:
    """The JSON lines in a log; whatever else was printed comes as {"text": …}."""
    found: list[dict[str, Any]] = []
    for line in text.splitlines():
        try:
            value = json.loads(line)
        except ValueError:
            value = line
        if value:
            found.append(value if isinstance(value, dict) else {"text": line})
    return found
