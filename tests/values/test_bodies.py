"""Bodies as they were before they were compressed, and what compression may not be used for."""

import gzip
import tracemalloc
import zlib

import pytest

from common.edge.values import Request
from common.errors import Problem
from functions.ingest.bodies import inflated

BODY = b'{"message": "boom"}' * 20
LIMIT = 1000


def bare(body: bytes) -> bytes:
    deflate = zlib.compressobj(wbits=-15)
    return deflate.compress(body) + deflate.flush()


def request(encoding: str, body: bytes) -> Request:
    return Request("POST", "/v1/events", "", {"content-encoding": encoding} if encoding else {}, body)


@pytest.mark.parametrize(
    ("encoding", "body"),
    [
        ("", BODY),
        ("identity", BODY),
        ("gzip", gzip.compress(BODY)),
        ("GZIP ", gzip.compress(BODY)),
        ("x-gzip", gzip.compress(BODY)),
        ("deflate", zlib.compress(BODY)),  # as the standard has it
        ("deflate", bare(BODY)),  # as some senders have it
    ],
)
def test_a_body_is_inflated(encoding: str, body: bytes) -> None:
    assert inflated(request(encoding, body), LIMIT) == BODY


@pytest.mark.parametrize(
    ("encoding", "body", "status", "code"),
    [
        ("br", BODY, 415, "unsupported_encoding"),
        ("gzip, gzip", BODY, 415, "unsupported_encoding"),
        ("gzip", BODY, 400, "malformed"),
        ("gzip", b"", 400, "malformed"),
        ("gzip", gzip.compress(BODY)[:-4], 400, "malformed"),  # cut off within its checksum
        ("gzip", gzip.compress(BODY) + b"more", 400, "malformed"),
        ("gzip", zlib.compress(BODY), 400, "malformed"),
        ("deflate", gzip.compress(BODY), 400, "malformed"),
        ("deflate", zlib.compress(BODY)[:-1], 400, "malformed"),
        ("", bytes(LIMIT + 1), 413, "too_large"),
        ("gzip", gzip.compress(bytes(LIMIT + 1)), 413, "too_large"),
        ("deflate", zlib.compress(bytes(LIMIT + 1)), 413, "too_large"),
        ("deflate", bare(bytes(LIMIT + 1)), 413, "too_large"),
    ],
)
def test_a_body_is_refused(encoding: str, body: bytes, status: int, code: str) -> None:
    with pytest.raises(Problem) as caught:
        inflated(request(encoding, body), LIMIT)
    assert (caught.value.status, caught.value.code) == (status, code)


@pytest.mark.parametrize("pack", [bytes, gzip.compress, zlib.compress, bare])
def test_the_limit_itself_is_allowed(pack: "type[bytes]") -> None:
    encoding = {bytes: "", gzip.compress: "gzip"}.get(pack, "deflate")
    assert len(inflated(request(encoding, pack(bytes(LIMIT))), LIMIT)) == LIMIT


def test_a_bomb_is_given_up_at_the_limit_and_never_unfolds() -> None:
    bomb = request("gzip", gzip.compress(bytes(50_000_000), 1))
    tracemalloc.start()
    with pytest.raises(Problem, match="after inflating"):
        inflated(bomb, LIMIT)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 1_000_000
