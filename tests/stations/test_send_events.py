"""The client of docs/how-to/send-events.md, exactly as printed, before an ingest that answers as it is told."""

import json
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import pytest

from local.hosts.web import environment
from tests import servers
from tests.stub_ingest import Batch, Said, Stub, taken

PAGE = (servers.ROOT / "docs/how-to/send-events.md").read_text()
[CLIENT] = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
[SHELL] = re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL)


@pytest.fixture
def stub() -> Iterator[Stub]:
    made = Stub()
    yield made
    made.close()


def run(tmp_path: Path, stub: Stub, more: str = "", **environ: str) -> "subprocess.CompletedProcess[str]":
    """An application with the client pasted into it; it ends without waiting for anything."""
    (tmp_path / "application.py").write_text(CLIENT + more)
    return subprocess.run(
        [sys.executable, "application.py"],
        cwd=tmp_path,
        env=environment(stub.environ | environ),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_what_an_application_sends_is_there_when_it_has_ended(stub: Stub, tmp_path: Path) -> None:
    done = run(tmp_path, stub)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")
    [[signup, error]] = stub.batches
    assert (signup["event_type"], signup["attributes"]) == ("signup", {"plan": "free"})
    assert (error["event_type"], error["attributes"]["error_code"]) == ("error", "TIMEOUT")


def test_it_sends_in_batches_and_again_with_the_same_ids(stub: Stub, tmp_path: Path) -> None:
    stub.script = lambda number, batch: Said(503, b"") if number == 1 else taken(number, batch)
    done = run(tmp_path, stub, "\nfor n in range(500):\n    signals.send('custom', f'{n}')\n")
    assert (done.returncode, done.stderr) == (0, "")
    assert [len(batch) for batch in stub.batches] == [200, 200, 200, 102]
    assert stub.batches[0] == stub.batches[1]


def test_it_waits_as_long_as_it_is_told(stub: Stub, tmp_path: Path) -> None:
    busy = Said(429, b"{}", {"Retry-After": "1"})
    stub.script = lambda number, batch: busy if number == 1 else taken(number, batch)
    assert run(tmp_path, stub).returncode == 0
    assert stub.times[1] - stub.times[0] >= 0.99


@pytest.mark.parametrize(
    "once",
    [
        Said(42, b""),  # no HTTP
        Said(503, b"{}", {"Retry-After": "Wed, 21 Oct 2026 07:28:00 GMT"}),
        Said(401, b"{}", {"Content-Length": "99"}),  # it breaks off in the middle of its answer
    ],
)
def test_nothing_that_a_server_says_ends_the_sending(stub: Stub, tmp_path: Path, once: Said) -> None:
    stub.script = lambda number, batch: once if number == 1 else taken(number, batch)
    done = run(tmp_path, stub)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")
    assert [len(batch) for batch in stub.batches] == [2, 2]


def test_values_that_json_lacks_are_sent_as_text_and_what_cannot_be_sent_is_told(stub: Stub, tmp_path: Path) -> None:
    more = (
        "\nfrom decimal import Decimal\n"
        "signals.send('custom', 'a', order=uuid.UUID(int=1), at=datetime.min, amount=Decimal('1.50'))\n"
        "signals.send('custom', 'b', payload={(1, 2): 3})\n"
        "signals.send('custom', 'c', payload={'x': 'x' * 2_000_000})\n"
    )
    done = run(tmp_path, stub, more)
    assert (done.returncode, done.stderr) == (0, "")
    assert [line.partition(": ")[0] for line in done.stdout.splitlines()] == ["signals", "signals"]
    assert [event["message"] for event in stub.events[2:]] == ["a"]
    sent = {"order": "00000000-0000-0000-0000-000000000001", "at": "0001-01-01 00:00:00", "amount": "1.50"}
    assert stub.events[2]["attributes"] == sent


def test_an_event_that_is_refused_among_others_is_told(stub: Stub, tmp_path: Path) -> None:
    rejected = [{"index": 1, "code": "too_long", "field": "message", "detail": "Too long."}]
    answer = {"accepted": 1, "event_ids": ["x"], "rejected": rejected}
    stub.script = lambda *_: Said(202, json.dumps(answer).encode())
    said = run(tmp_path, stub).stdout
    assert said.startswith("signals: ")
    assert "too_long" in said
    assert "upstream timed out" in said
    assert len(stub.batches) == 1


def test_what_is_too_large_for_one_request_goes_in_several(stub: Stub, tmp_path: Path) -> None:
    def narrow(number: int, batch: Batch) -> Said:
        return Said(413, b"{}") if len(json.dumps(batch)) > 200_000 else taken(number, batch)

    stub.script = narrow
    more = "\nfor n in range(30):\n    signals.send('custom', f'{n}', payload={'text': 'x' * 60_000})\n"
    done = run(tmp_path, stub, more)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")
    came = [event["message"] for batch in stub.batches if len(json.dumps(batch)) <= 200_000 for event in batch]
    assert came[2:] == [f"{n}" for n in range(30)]
    assert max(len(json.dumps(batch)) for batch in stub.batches) < 1024 * 1024


def test_what_is_refused_is_told_and_not_sent_again(stub: Stub, tmp_path: Path) -> None:
    stub.script = lambda *_: Said(401, b'{"code": "unknown_key"}')
    assert run(tmp_path, stub).stdout == 'signals: 401 {"code": "unknown_key"}\n'
    assert len(stub.batches) == 1


def test_a_server_that_hangs_holds_nobody_up_and_what_is_too_much_is_left_out(stub: Stub, tmp_path: Path) -> None:
    def slow(number: int, batch: Batch) -> Said:
        time.sleep(10)
        return taken(number, batch)

    stub.script = slow
    more = (
        "\nbegan = time.monotonic()\nfor n in range(20_000):\n    signals.send('custom', f'{n}')\n"
        "print(time.monotonic() - began < 10, signals.left_out > 9_000, flush=True)\nos._exit(0)\n"
    )
    assert run(tmp_path, stub, more).stdout == "True True\n"


def test_the_line_for_the_shell_sends_one_event_and_again_under_its_id(stub: Stub, tmp_path: Path) -> None:
    stub.script = lambda number, batch: Said(503, b"") if number == 1 else taken(number, batch)
    (tmp_path / ".local").mkdir()
    (tmp_path / ".local/env").write_text("".join(f"{name}='{value}'\n" for name, value in stub.environ.items()))
    done = subprocess.run(
        ["bash", "-ec", SHELL],
        cwd=tmp_path,
        env=environment(None),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    [[event], again] = stub.batches
    assert again == [event]
    assert (str(UUID(event["event_id"])), event["event_type"]) == (event["event_id"], "error")
