"""What must be equal of the same answer from different hosts."""

import gzip
import re

from local.hosts.call import Answer
from local.hosts.openwhisk import ACTION

KEPT = ("content-type", "retry-after", "allow", "location", "x-why", "x-sample")
OWN_ADDRESS = re.compile(rb"https?://[^/'\"]+(/api/v1/web" + ACTION.encode() + rb")?")


def normal(answer: Answer) -> tuple[object, ...]:
    """Status, body and the headers that are ours; links without the host's own address, bodies unpacked."""
    headers = sorted((name, _same(name, value)) for name, value in answer.headers if name in KEPT)
    body = gzip.decompress(answer.body) if answer.header("content-encoding") == "gzip" else answer.body
    return answer.status, headers, sorted(answer.all("set-cookie")), without_address(body)


def _same(name: str, value: str) -> bytes:
    """Starlette makes `allow` from a set."""
    return ", ".join(sorted(value.split(", "))).encode() if name == "allow" else without_address(value.encode())


def without_address(text: bytes) -> bytes:
    return OWN_ADDRESS.sub(b"", text)
