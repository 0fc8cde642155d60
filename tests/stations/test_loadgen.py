"""Loadgen as a process before an ingest that answers well, late, wrongly, or not at all."""

import json
import signal
import time
from collections.abc import Callable, Iterator

import pytest

from local.servers import process
from tests.stub_ingest import Batch, Said, Script, Stub, ended, run, start, taken

LOADGEN = ["local.loadgen", "normal", "--batch", "10", "--concurrency", "4"]
BRIEF = ["--rate", "200", "--duration", "1"]
MAKE = Callable[..., Stub]


@pytest.fixture
def stub() -> Iterator[MAKE]:
    made: list[Stub] = []

    def make(script: Script = taken) -> Stub:
        made.append(Stub(script))
        return made[-1]

    yield make
    for one in made:
        one.close()


def test_all_is_sent_once_and_the_report_says_so(stub: MAKE) -> None:
    server = stub()
    done = run([*LOADGEN, *BRIEF], server.environ)
    assert done.code == 0, done.err
    report = done.report
    assert report["events"] == {"sent": 200, "accepted": 200, "refused": 0, "unsent": 0, "given_up": 0}
    assert (report["requests"], report["retries"], report["errors"], report["well"]) == (20, 0, {}, True)
    assert set(report["milliseconds"]) == {"p50", "p95", "p99", "max"}
    assert len({event["event_id"] for event in server.events}) == 200
    assert "200 of 200 accepted at " in done.err


def test_the_rate_does_not_follow_the_server(stub: MAKE) -> None:
    """Each answer takes longer than batches are apart: several are under way, and those that are too many are told."""

    def slow(number: int, batch: Batch) -> Said:
        time.sleep(0.1)
        return taken(number, batch)

    enough = run([*LOADGEN, *BRIEF], stub(slow).environ)
    assert (enough.code, enough.report["events"]["unsent"]) == (0, 0)

    def slower(number: int, batch: Batch) -> Said:
        time.sleep(0.9)
        return taken(number, batch)

    short = run([*LOADGEN, "--rate", "200", "--duration", "3"], stub(slower).environ)
    events = short.report["events"]
    assert short.code == 1
    assert events["unsent"] > 0
    assert events["sent"] + events["unsent"] == 600
    assert f"{events['unsent']} unsent; all connections were busy" in short.err


def test_what_is_sent_again_has_the_same_ids_and_waits_as_long_as_it_is_told(stub: MAKE) -> None:
    def busy(number: int, batch: Batch) -> Said:
        if number == 1:
            return Said(429, b'{"code": "rate_limited"}', {"retry-after": "1"})
        return taken(number, batch)

    server = stub(busy)
    done = run([*LOADGEN, "--rate", "100", "--duration", "0.2"], server.environ)
    assert done.code == 0, done.err
    assert done.report["retries"] == 1
    assert done.report["errors"] == {"429 rate_limited": 1}
    assert server.batches[0] in server.batches[1:]
    assert server.times[1] - server.times[0] >= 0.99  # nobody else sends meanwhile


def test_a_server_that_comes_late_gets_everything(stub: MAKE) -> None:
    def down(number: int, batch: Batch) -> Said:
        return Said(503, b"{}") if number <= 3 else taken(number, batch)

    done = run([*LOADGEN, "--rate", "100", "--duration", "0.3"], stub(down).environ)
    assert (done.code, done.report["events"]["accepted"], done.report["retries"]) == (0, 30, 3)


@pytest.mark.parametrize(
    ("said", "why"),
    [
        (Said(202, b'{"accepted": 10, "event_ids": [], "rejected": []}'), "ingest answered wrongly"),
        (Said(202, b"thank you"), "ingest answered wrongly"),
        (Said(422, b'{"code": "all_rejected", "rejected": []}'), "10 refused"),
    ],
)
def test_an_answer_that_is_wrong_or_no_ends_with_1(stub: MAKE, said: Said, why: str) -> None:
    done = run([*LOADGEN, "--rate", "10", "--duration", "1"], stub(lambda *_: said).environ)
    assert (done.code, done.report["well"], done.report["events"]["accepted"]) == (1, False, 0)
    assert why in done.err


def test_events_that_are_rejected_are_told_by_code_and_field(stub: MAKE) -> None:
    def picky(_: int, batch: Batch) -> Said:
        ids = [event["event_id"] for event in batch[1:]]
        rejected = [{"index": 0, "code": "too_long", "field": "message", "detail": ""}]
        return Said(202, json.dumps({"accepted": len(ids), "event_ids": ids, "rejected": rejected}).encode())

    done = run([*LOADGEN, "--rate", "10", "--duration", "1"], stub(picky).environ)
    assert (done.code, done.report["errors"]) == (1, {"too_long message": 1})
    assert done.report["events"]["accepted"] == 9


def test_a_key_that_is_refused_ends_it_at_once(stub: MAKE) -> None:
    refused = Said(401, b'{"code": "unknown_key", "detail": "This key was revoked."}')
    done = run([*LOADGEN, "--rate", "100", "--duration", "600"], stub(lambda *_: refused).environ)
    assert done.code == 1
    assert "nothing would be accepted: 401 unknown_key: This key was revoked." in done.err


def test_ctrl_c_ends_it_with_its_report(stub: MAKE) -> None:
    server = stub()
    running = start([*LOADGEN, "--rate", "100", "--duration", "600"], server.environ)
    server.wait_for(3)
    running.send_signal(signal.SIGINT)
    done = ended(running)
    assert (done.code, done.report["interrupted"]) == (130, True)
    assert done.report["events"]["accepted"] == len(server.events) > 0
    assert "Traceback" not in done.err


def test_away_from_a_terminal_it_tells_nothing_but_its_last_sentence(stub: MAKE) -> None:
    done = run([*LOADGEN, *BRIEF], stub().environ)
    assert len(done.err.splitlines()) == 1
    assert "\r" not in done.err


def test_nobody_there_is_told_and_given_up_with_ctrl_c() -> None:
    environ = {"INGEST_API_URL": f"http://127.0.0.1:{process.free_port()}", "PROJECT_API_KEY": "k"}
    running = start([*LOADGEN, "--rate", "100", "--duration", "600"], environ)
    time.sleep(1.5)
    running.send_signal(signal.SIGTERM)
    done = ended(running)
    assert done.code == 130
    assert done.report["errors"]["unreachable"] > 0
    assert done.report["events"]["accepted"] == 0
