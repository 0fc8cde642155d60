"""What a soak does is decided by its seed, and its judge's expectations by a plain count."""

import json
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from local import state
from local.soak import __main__ as command
from local.soak import schedule
from local.soak.judge import Total
from local.soak.schedule import KINDS, SECONDS, STORES
from local.soak.sender import Ledger
from local.soak.soak import Soak
from local.soak.stack import OwnStack

HOUR = 3600.0


@pytest.mark.parametrize("stack", STORES)
def test_a_seed_says_what_goes_wrong_and_when(stack: str) -> None:
    assert schedule.faults(stack, 7, HOUR) == schedule.faults(stack, 7, HOUR)
    assert schedule.faults(stack, 7, HOUR) != schedule.faults(stack, 8, HOUR)


@pytest.mark.parametrize("stack", STORES)
def test_each_kind_and_each_part_comes_before_any_comes_again(stack: str) -> None:
    found = schedule.faults(stack, 1, HOUR)
    lasting = [one for one in found if one.what != "kill"]
    kinds = len(KINDS) - 1
    assert {one.what for one in lasting[:kinds]} == KINDS.keys() - {"kill"}
    parts = {*schedule.FUNCTIONS, *STORES[stack]}
    assert {one.part for one in [one for one in found if one.what == "kill"][: len(parts)]} == parts
    assert {one.part for one in lasting if one.what == "full"} == {*STORES[stack], schedule.LOGS}


@pytest.mark.parametrize("stack", STORES)
def test_what_lasts_comes_one_after_the_other_and_ends_in_time(stack: str) -> None:
    lasting = [one for one in schedule.faults(stack, 3, HOUR) if one.what in SECONDS]
    ends = [one.at + one.seconds for one in lasting]
    assert all(end < other.at for end, other in zip(ends, lasting[1:], strict=False))
    assert ends[-1] <= HOUR


def test_only_the_kinds_that_are_asked_for_come() -> None:
    assert {one.what for one in schedule.faults("native", 1, HOUR, ["kill", "full"])} == {"kill", "full"}
    assert schedule.faults("native", 1, HOUR, ["kill"])


def test_each_part_is_killed_once() -> None:
    assert sorted(one.part for one in schedule.each_killed("native", 1)) == sorted(
        (*schedule.FUNCTIONS, *STORES["native"])
    )


class Failed(Soak):
    """Nothing is started; it fails as it is told."""

    def __init__(self, error: BaseException | None, *given: Any) -> None:  # without a stack, whose folder takes seconds
        self.error, self.given = error, given
        self.name, self.seed, self.length, self.schedule = given[:4]
        self.stack = cast(OwnStack, SimpleNamespace(home="here"))
        self.differences = ["2 errors were accepted, 1 are counted"]

    def run(self) -> None:
        if self.error:
            raise self.error

    def report(self) -> dict[str, Any]:
        return {"seed": self.seed, "events": dict.fromkeys(("sent", "accepted", "unanswered"), 0), **REST}

    def remove(self) -> None:
        pass


REST: dict[str, Any] = {"answers": {}, "incidents": 0, "drained_in_seconds": 0.0}


def failing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, error: BaseException | None = None) -> list[Failed]:
    made: list[Failed] = []

    def soak(*given: Any) -> Failed:
        made.append(Failed(error, *given))
        return made[-1]

    monkeypatch.setattr(command, "Soak", soak)
    monkeypatch.setattr(state, "HOME", tmp_path)
    return made


@pytest.mark.parametrize("error", [None, RuntimeError("no port")])
@pytest.mark.parametrize(
    "asked",
    [
        {"STACK": "native", "SEED": "7", "MINUTES": "0.7", "ONLY": "slow,kill"},
        {"SEED": "8"},
    ],
)
def test_what_a_failed_soak_prints_plays_the_same_again(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    asked: dict[str, str],
    error: BaseException | None,
) -> None:
    made = failing(monkeypatch, tmp_path, error)
    for environ in (asked, None):
        for name in ("STACK", "SEED", "MINUTES", "ONLY"):
            monkeypatch.delenv(name, raising=False)
        printed = capsys.readouterr().out.rpartition("Again: make soak ")[2].split()
        for name, value in (environ or dict(word.split("=") for word in printed)).items():
            monkeypatch.setenv(name, value)
        with pytest.raises(RuntimeError) if error else nullcontext():
            assert command.main(["--report", str(tmp_path / "soak.json")]) == 1
    one, again = made
    assert one.given[:4] == again.given[:4]
    assert json.loads((tmp_path / "soak.json").read_text())["seed"] == int(asked["SEED"])


def test_what_a_failed_round_of_kills_prints_plays_the_same_again_and_no_report_is_lost(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made = failing(monkeypatch, tmp_path)
    monkeypatch.setenv("SEED", "5")
    assert command.main(["--kills", "2"]) == 1
    assert sorted(path.name for path in tmp_path.glob("kills*")) == [
        f"kills-{stack}-{seed}.json" for stack in STORES for seed in (5, 6)
    ]
    assert "Again: SEED=6 make soak ARGS='--kills 1'" in capsys.readouterr().out
    monkeypatch.setenv("SEED", "6")
    command.main(["--kills", "1"])
    assert [one.given[:4] for one in made[2:4]] == [one.given[:4] for one in made[4:]]


def test_what_is_expected_is_counted_over_all_ledgers() -> None:
    one, other = Ledger(), Ledger()
    one.order = [("A", 5)] * 29 + [("B", 5)] * 30  # thirty open an incident, twenty-nine do not
    other.order = [("C", 5)] * 15 + [("C", 6)] * 16
    assert Total([one, other]).incidents() == [
        ["B", 5, 5, 30, 30, "error", 1, True],
        ["C", 6, 6, 31, 31, "error", 1, True],
    ]
