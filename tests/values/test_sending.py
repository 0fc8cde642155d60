"""What an answer of ingest means for a batch, what becomes of ids, how times are told."""

import io
import json
import threading
import time
from pathlib import Path
from uuid import UUID

import pytest

from local.poller.post import Reply
from local.sending import progress
from local.sending import target as target_module
from local.sending.courier import retry_after
from local.sending.ids import id_after, id_of, new_run
from local.sending.tally import Tally
from local.sending.target import INSTALLATION, Unusable, environment, needed, target
from local.sending.verdict import HOPELESS, judge

IDS = ["a", "b", "c"]


def reply(status: int, body: object, wait: str = "") -> Reply:
    return Reply(status, wait, body if isinstance(body, bytes) else json.dumps(body).encode())


def accepted(ids: list[str], rejected: list[dict[str, object]] | None = None) -> Reply:
    return reply(202, {"accepted": len(ids), "event_ids": ids, "rejected": rejected or []})


def test_a_batch_is_taken_whole_or_in_part() -> None:
    assert judge(accepted(IDS), IDS)[:3] == (3, 0, False)
    one = judge(accepted(["a", "c"], [{"index": 1, "code": "too_long", "field": "message"}]), IDS)
    assert (one.accepted, one.refused, one.kinds, one.wrong) == (2, 1, (("too_long message", 1),), "")


@pytest.mark.parametrize(
    "answer",
    [
        accepted(["a", "b"]),  # one is missing
        accepted(["a", "b", "x"]),  # an id nobody sent
        accepted(["b", "a", "c"]),  # another order
        accepted(IDS, [{"index": 1, "code": "too_long"}]),  # both taken and rejected
        reply(202, {"accepted": 2, "event_ids": IDS, "rejected": []}),  # the count is another
        reply(202, {"accepted": 3, "event_ids": IDS}),  # no list of rejected ones
        reply(202, {"accepted": 3, "event_ids": IDS, "rejected": ["b"]}),
        reply(202, b"thanks"),
        reply(202, b""),
    ],
)
def test_an_answer_that_does_not_fit_the_batch_is_a_wrong_one(answer: Reply) -> None:
    verdict = judge(answer, IDS)
    assert verdict.wrong
    assert (verdict.accepted, verdict.refused, verdict.again) == (0, 0, False)


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504])
def test_what_may_pass_is_tried_again(status: int) -> None:
    verdict = judge(reply(status, {"code": "busy"}), IDS)
    assert (verdict.again, verdict.kinds, verdict.hopeless) == (True, ((f"{status} busy", 1),), "")


@pytest.mark.parametrize(("status", "hopeless"), [(400, False), (422, False), (401, True), (404, True)])
def test_what_is_refused_is_not_tried_again_and_some_of_it_ends_the_run(status: int, hopeless: bool) -> None:
    verdict = judge(reply(status, {"code": "no", "detail": "Why."}), IDS)
    assert (verdict.refused, verdict.again) == (3, False)
    assert verdict.hopeless == (f"{status} no: Why." if hopeless else "")
    assert (status in HOPELESS) == hopeless


def test_a_batch_that_is_too_large_is_halved_and_a_single_event_is_refused() -> None:
    too_large = reply(413, {"code": "too_large", "detail": "Why."})
    many, one = judge(too_large, IDS), judge(too_large, IDS[:1])
    assert (many.halve, many.refused, many.kinds) == (True, 0, (("413 too_large", 1),))
    assert (one.halve, one.refused, one.again, one.hopeless) == (False, 1, False, "")


def test_a_batch_that_is_rejected_whole_names_the_codes() -> None:
    rejected = [{"index": n, "code": "required", "field": "message"} for n in range(3)]
    assert judge(reply(422, {"code": "all_rejected", "rejected": rejected}), IDS).kinds == (("required message", 3),)


def test_ids_are_of_a_run_and_a_line_and_can_be_told_apart() -> None:
    run, other = new_run(), new_run()
    ids = {id_of(run, line) for line in (0, 1, 2**40, 2**48 - 1)} | {id_of(other, 0)}
    ids |= {id_after(run, "a"), id_after(run, "b"), id_after(other, "a")}
    assert len(ids) == 8
    assert all(UUID(one).version == 8 and str(UUID(one)) == one for one in ids)
    assert id_after(run, "00000000-0000-4000-8000-00000000000A") == id_after(
        run, "00000000-0000-4000-8000-00000000000a"
    )


def test_times_are_told_to_two_per_cent() -> None:
    tally = Tally()
    for number in range(1, 1001):
        tally.answered(1, 0, number / 1000)
    told = tally.milliseconds()
    assert told["p50"] == pytest.approx(500, rel=0.03)
    assert told["p95"] == pytest.approx(950, rel=0.03)
    assert told["p99"] == pytest.approx(990, rel=0.03)
    assert told["max"] == 1000
    assert Tally().milliseconds() == {"p50": 0, "p95": 0, "p99": 0, "max": 0}


def test_many_threads_count_to_the_right_sum() -> None:
    tally = Tally()

    def count() -> None:
        for _ in range(500):
            tally.sent(2, 1.0)
            tally.answered(2, 0, 0.01)

    threads = [threading.Thread(target=count) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert tally.told()[:2] == (8000, 8000)


@pytest.mark.parametrize("spoil", ["wrong", "refused", "unsent", "given_up"])
def test_it_is_well_only_if_everything_was_sent_and_answered_rightly(spoil: str) -> None:
    tally = Tally()
    tally.sent(5, 1.0)
    tally.answered(5, 0, 0.1)
    assert tally.well
    if spoil == "wrong":
        tally.answered_wrongly("202, but not for these")
    else:
        tally.add(**{spoil: 1})
    assert not tally.well


@pytest.mark.parametrize(("said", "seconds"), [("3", 3.0), ("", 0.0), ("Wed, 21 Oct 2026 07:28:00 GMT", 0.0)])
def test_retry_after_is_in_seconds(said: str, seconds: float) -> None:
    assert retry_after(Reply(429, said, b"")) == seconds


class Screen(io.StringIO):
    def __init__(self, *, terminal: bool) -> None:
        super().__init__()
        self.terminal = terminal

    def isatty(self) -> bool:
        return self.terminal


@pytest.mark.parametrize("terminal", [True, False])
def test_progress_is_one_line_on_a_terminal_and_lines_elsewhere(
    terminal: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(progress, "ON_TERMINAL" if terminal else "ELSEWHERE", 0.01)
    screen, shown, talk = Screen(terminal=terminal), iter(range(1000)), ["10:00  a deploy"]
    with progress.Progress(lambda: f"line {next(shown)}", talk, screen):
        while "line 2" not in screen.getvalue():
            time.sleep(0.01)
    said = screen.getvalue()
    assert "10:00  a deploy\n" in said
    assert ("\r\033[Kline 1\r" in said, "line 1\nline 2\n" in said) == (terminal, not terminal)
    assert said.endswith("\r\033[K") == terminal


def env_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, **shell: str) -> dict[str, str]:
    """What the tools go by, beside a running stack whose variables all say stack."""
    (tmp_path / "env").write_text("".join(f"{name}='stack'\n" for name in (*INSTALLATION, "S3_BUCKET")))
    monkeypatch.setattr(target_module, "ENV", tmp_path / "env")
    for name in INSTALLATION:
        monkeypatch.delenv(name, raising=False)
    for name, value in shell.items():
        monkeypatch.setenv(name, value)
    environ = environment()
    return {name: environ[name] for name in (*INSTALLATION, "S3_BUCKET") if name in environ}


def test_without_variables_it_is_the_stack_of_this_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = env_of(tmp_path, monkeypatch, S3_BUCKET="mine", CORE_API_URL="")
    assert found == dict.fromkeys(INSTALLATION, "stack") | {"S3_BUCKET": "mine"}


@pytest.mark.parametrize("name", INSTALLATION)
def test_whoever_names_an_installation_is_never_sent_to_that_of_this_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    found = env_of(tmp_path, monkeypatch, **{name: "theirs"})
    assert found == {name: "theirs"}
    missing = next(one for one in INSTALLATION if one != name)
    with pytest.raises(Unusable, match=f"{missing} is not set. This shell names {name}, so nothing is taken from"):
        needed(found, missing)


def test_whoever_names_no_address_is_told_what_to_do() -> None:
    with pytest.raises(
        Unusable, match=r"INGEST_API_URL is not set. Start a stack \(make up\) and say `set -a; . .local"
    ):
        target({})
    with pytest.raises(Unusable, match="PROJECT_API_KEY is not set"):
        target({"INGEST_API_URL": "http://127.0.0.1:1"})
    with pytest.raises(Unusable, match="CORE_API_URL is not set"):
        target({"INGEST_API_URL": "http://127.0.0.1:1"}, "shop")
