"""One OpenSearch node (or what stands before it) over HTTP: urllib3, bytes in, bytes out, failures named.

opensearch-py would cost every cold start 113 ms and each bulk answer 2 µs a document, for a client of six calls.
"""

import os
from base64 import b64encode
from typing import Any
from urllib.parse import urlsplit

import msgspec
import urllib3

from common.clients import tls
from common.errors import Misconfigured, Unavailable
from common.settings import OpenSearch

WHAT = "OpenSearch"
CONNECT_SECONDS = 5
ANSWER_SECONDS = 30
PASSING = (429, 500, 502, 503, 504)


class Node:
    """A few connections a process, opened when first needed, kept alive, never shared with a fork."""

    def __init__(self, settings: OpenSearch) -> None:
        self._settings, self._prefix = settings, urlsplit(settings.url).path
        self._pool: urllib3.HTTPConnectionPool | None = None
        self._pid = 0

    def call(
        self, method: str, path: str, body: bytes | None = None, *, seconds: float = ANSWER_SECONDS
    ) -> bytes | None:
        """The answer's body; None where the thing asked for is not there."""
        timeout = urllib3.Timeout(connect=CONNECT_SECONDS, read=seconds)
        try:
            answer = self._connections().urlopen(
                method,
                self._prefix + path,
                body=body,
                headers=_headers(self._settings),
                timeout=timeout,
                retries=False,
                redirect=False,
            )
        except urllib3.exceptions.HTTPError as error:
            raise Unavailable(WHAT, f"{self._settings.url}: {error}") from error
        if answer.status < 300:
            return answer.data
        if answer.status == 404:
            return None
        raise failure(answer.status, answer.data, len(body or b""))

    def close(self) -> None:
        if self._pool:
            self._pool.close()

    def _connections(self) -> urllib3.HTTPConnectionPool:
        if self._pool is None or self._pid != os.getpid():
            self._pool, self._pid = _pool(self._settings), os.getpid()
        return self._pool


def reason_of(body: bytes) -> str:
    """What OpenSearch says is wrong, the innermost cause last; of anything else, its first words."""
    try:
        error = msgspec.json.decode(body)["error"]
        return told(error)
    except (msgspec.DecodeError, LookupError, TypeError):
        return " ".join(body[:300].decode("utf-8", "replace").split())


def told(error: Any) -> str:
    said = []
    while isinstance(error, dict):
        said.append(f"{error.get('type')}: {error.get('reason')}")
        error = error.get("caused_by")
    return "; ".join(said) or str(error)


def failure(status: int, body: bytes, sent: int = 0) -> Exception:
    if status == 401:
        return Unavailable(WHAT, "401: it does not know this OPENSEARCH_USER and OPENSEARCH_PASS")
    if status == 413:
        return Misconfigured(
            f"OpenSearch, or a proxy before it, refuses a body of {sent} bytes: raise its limit, or send less at once."
        )
    if status == 400 and body.startswith(b"{"):
        return RuntimeError(f"OpenSearch does not understand us: {reason_of(body)}")
    return Unavailable(WHAT, f"{status}: {reason_of(body)}")


def _headers(settings: OpenSearch) -> dict[str, str]:
    """The password goes with each request, so each asks for it: it may have changed."""
    if not settings.user:
        return {"content-type": "application/json"}
    both = f"{settings.user}:{settings.password.reveal()}"
    return {"content-type": "application/json", "authorization": f"Basic {b64encode(both.encode()).decode()}"}


def _pool(settings: OpenSearch) -> urllib3.HTTPConnectionPool:
    url = urlsplit(settings.url)
    host = url.hostname or ""
    if url.scheme == "http":
        return urllib3.HTTPConnectionPool(host, url.port or 80, maxsize=4)
    verified = tls.context(settings.ca, "OPENSEARCH_CA_CERT")
    return urllib3.HTTPSConnectionPool(host, url.port or 443, maxsize=4, ssl_context=verified)
