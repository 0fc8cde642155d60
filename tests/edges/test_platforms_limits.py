"""Our platforms on this machine take no more, and nothing else, than the real ones do."""

from pathlib import Path

import pytest

from local.hosts import openwhisk
from local.hosts.aws import Lambda
from tests.edges.conftest import Hosts

MAIN = """
import sys


def main(event):
    if event["answer"] == "exit":
        sys.exit()
    return {
        "object": {"body": "ä" * 400_000},
        "large": {"body": "x" * (1024 * 1024)},
        "list": [1],
        "text": "text",
        "nothing": None,
        "bytes": b"no JSON",
    }[event["answer"]]
"""
NO_OBJECT = {"error": "The action did not return a dictionary or array."}


def started(folder: Path) -> openwhisk.OpenWhisk:
    (folder / "action.py").write_text(MAIN)
    host = openwhisk.OpenWhisk("action.py", folder, cwd=folder)
    host.limit = openwhisk.LIMIT
    return host


def test_openwhisk_takes_a_megabyte_of_an_object_or_a_list(tmp_path: Path) -> None:
    host = started(tmp_path)
    try:
        assert len(host.invoke({"answer": "object"})["body"]) == 400_000  # UTF-8, as its launcher writes it
        assert host.invoke({"answer": "list"}) == [1]
        assert host.invoke({"answer": "nothing"}) is None
        assert host.invoke({"answer": "text"}) == NO_OBJECT
        assert "may be 1048576" in host.invoke({"answer": "large"})["error"]
    finally:
        host.stop()


@pytest.mark.parametrize("answer", ["bytes", "exit"])
def test_openwhisks_process_ends_with_what_is_no_json_and_with_an_exit(tmp_path: Path, answer: str) -> None:
    host = started(tmp_path)
    try:
        with pytest.raises(AssertionError, match="the function's process ended"):
            host.invoke({"answer": answer})
    finally:
        host.stop()


@pytest.mark.parametrize(("body", "status"), [(5_000, 200), (9_000, 502), (11_000, 413)])
def test_lambda_takes_so_much_and_gives_so_much(
    hosts: Hosts, monkeypatch: pytest.MonkeyPatch, body: int, status: int
) -> None:
    host = hosts("lambda", "http")
    assert isinstance(host, Lambda)
    monkeypatch.setattr(host.api, "limit", 10_000)
    assert host.request("POST", "/", {}, b"x" * body).status == status  # echoed as base64, which is a third more
