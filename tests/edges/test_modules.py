"""What each kind of entry may import: a cold start is paid by every caller who meets one."""

import json
import subprocess
import sys

import pytest

from local.hosts.web import environment
from tests.edges.conftest import ROOT

HEAVY = {
    "typing", "dataclasses", "inspect", "logging", "traceback", "asyncio", "threading", "socket", "ssl", "http.client",
    "urllib.parse", "pathlib", "hashlib", "hmac", "email", "difflib", "msgspec", "pydantic", "starlette", "fastapi",
    "flask", "functions_framework", "uvicorn", "httpx", "openai", "opensearchpy", "confluent_kafka", "pg8000",
}  # fmt: skip
HTTP_EVENT = {
    "version": "2.0",
    "rawPath": "/",
    "rawQueryString": "",
    "headers": {},
    "requestContext": {"stage": "$default", "http": {"method": "GET"}},
}
STREAM = {"msgspec", "typing", "inspect", "socket"}  # the last three by msgspec itself
OF_ASGI = {"asyncio", "threading", "socket", "ssl", "logging", "inspect", "dataclasses", "typing", "traceback"}


def loaded(sample: str, call: str) -> set[str]:
    """The heavy modules a fresh interpreter has after importing a sample and calling it once."""
    code = f"""
import sys, json
bare = set(sys.modules)
import tests.edges.sample_{sample} as sample
{call}
print(json.dumps(sorted(set(sys.modules) - bare)))
"""
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env=environment({"FAIL_FILE": "/nowhere", "INTERNAL_KEY": "k"}),
        capture_output=True,
        text=True,
        check=True,
        timeout=30,
    )
    return HEAVY & set(json.loads(done.stdout.splitlines()[-1]))


@pytest.mark.parametrize(
    ("sample", "call", "allowed"),
    [
        ("bare", "", set()),
        ("bare", f"sample.aws({HTTP_EVENT!r}, None)", set()),
        ("bare", "sample.main({'http': {'method': 'GET', 'path': '', 'headers': {}}})", set()),
        ("bare_async", f"sample.aws({HTTP_EVENT!r}, None)", OF_ASGI),  # why ingest's path on AWS is plain
        ("bare_stream", "", STREAM),
        ("bare_stream", "sample.aws({'records': {}}, None)", STREAM),
        ("bare_clock", "", set()),
        ("bare_clock", "sample.aws({'source': 'aws.events'}, None)", set()),
    ],
)
def test_an_entry_loads_no_more_than_it_may(sample: str, call: str, allowed: set[str]) -> None:
    assert loaded(sample, call) <= allowed
