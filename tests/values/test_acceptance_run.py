"""The run of a list of scenarios: one that broke down has not held, whatever it had seen before, and all is told."""

from collections.abc import Callable
from typing import Any

import pytest

from local import stacks
from local.acceptance.check import Check, Checks, CouldNot, equal
from local.acceptance.run import Run
from local.acceptance.scenarios import Scenario
from local.acceptance.system import System


class Idle(System):
    """A stack that runs as far as anybody asks."""

    def account(self) -> dict[str, Any]:
        return {"stack": self.stack}


def walked(*scenarios: Scenario, breaks: type[BaseException] | None = None) -> Run:
    run = Run("embedded", scenarios)
    run.system = Idle("embedded")
    if breaks:
        with pytest.raises(breaks):
            run.walk()
    else:
        run.walk()
    return run


def ends_with(error: BaseException | None) -> Callable[[System], Checks]:
    def checks(_: System) -> Checks:
        yield equal("one", 1, 1)
        if error:
            raise error

    return checks


@pytest.mark.parametrize("error", [ValueError("max() of nothing"), KeyboardInterrupt()])
@pytest.mark.parametrize("alone", [False, True])
def test_a_scenario_that_breaks_down_has_not_held(
    error: BaseException, alone: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    good, bad = (Scenario(name, "a scenario", ends_with(how)) for name, how in (("good", None), ("bad", error)))
    never = Scenario("never", "a scenario", ends_with(None), alone=True)
    run = walked(good, bad._replace(alone=alone), never, breaks=type(error))
    about = {one["name"]: (one["held"], one["could_not"]) for one in run.report()["scenarios"]}
    assert about == {
        "good": (True, None),
        "bad": (False, "it did not come to its end"),
        "never": (False, "its turn did not come"),
    }
    assert run.report()["scenarios"][1]["checks"] == [Check("one", "1", "1", True)._asdict()]
    assert run.report()["well"] is False
    said = capsys.readouterr().out
    assert [said.count(f"{name}: a scenario") for name in ("ok   good", "FAIL bad", "FAIL never")] == [1, 1, 1]


def test_one_that_could_not_go_on_says_why_and_the_others_go_on() -> None:
    bad, good = (Scenario(name, "", ends_with(how)) for name, how in (("bad", CouldNot("no part")), ("good", None)))
    run = walked(bad, good)
    assert (run.held(good), run.held(bad), run.reasons) == (True, False, {"bad": "no part"})


def test_one_that_breaks_down_while_it_is_prepared_says_so() -> None:
    def broken(_: System) -> None:
        raise ValueError

    bad, other = (Scenario(name, "", ends_with(None), "plain", how) for name, how in (("bad", broken), ("other", None)))
    run = walked(bad, other, breaks=ValueError)
    assert run.reasons == {"bad": "it did not come to its end", "other": "its turn did not come"}


def test_whoever_could_not_be_prepared_says_why_even_if_its_turn_never_comes() -> None:
    def unprepared(_: System) -> None:
        raise CouldNot("no part")

    later = Scenario("later", "", ends_with(None), "clock", unprepared)
    run = walked(Scenario("bad", "", ends_with(ValueError())), later, breaks=ValueError)
    assert run.reasons == {"bad": "it did not come to its end", "later": "no part"}


def test_a_server_of_compose_is_started_again_whatever_happens_meanwhile(monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    monkeypatch.setattr(stacks, "compose", lambda *words: said.append(" ".join(words)))
    with pytest.raises(CouldNot), System("compose").without("kafka"):
        raise CouldNot("no events")
    assert said == ["kill kafka", "start kafka"]
