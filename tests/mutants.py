"""Faults put into the rules and the player on purpose: each must be found by the cases or by the histories.

Two that were tried changed nothing. Asking windows after the newest minute: none of them has an event. Asking the
first event of a run beyond an incident's end by itself: only its own minute is asked, and that cannot continue it.

`python -m tests.mutants` says of each what found it.
"""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

from tests import histories
from tests.cases import Case, Step, cases
from tests.shelf import Shelf

# in the order of their imports: each is run again with the broken ones before it
MODULES = (
    "common.detection.series",
    "common.detection.rules",
    "common.incidents.incident",
    "common.incidents.timeline",
    "common.incidents.state",
    "common.incidents.spike",
    "common.incidents.course",
    "common.incidents.play",
    "common.incidents.people",
)
SHORT = 2000  # events of the cases that are tried
HISTORIES = 12
EVENTS = 150  # of the cases that are tried one by one


class Mutant(NamedTuple):
    name: str
    module: str
    says: str
    instead: str


MUTANTS = [
    Mutant(
        "29 errors are enough",
        "detection.rules",
        "SPIKE_ERRORS, SPIKE_TIMES = 30, 3",
        "SPIKE_ERRORS, SPIKE_TIMES = 29, 3",
    ),
    Mutant(
        "rounded down instead of up",
        "detection.rules",
        "-(-SPIKE_TIMES * MINUTES[SPIKE] * hour // HOUR)",
        "SPIKE_TIMES * MINUTES[SPIKE] * hour // HOUR",
    ),
    Mutant(
        "its own usual counts only for spikes", "detection.rules", "max(window.hour, window.own or 0)", "window.hour"
    ),
    Mutant("the larger of the two usuals", "detection.rules", "min(hour, own)", "max(hour, own)"),
    Mutant("a drop is critical at one", "detection.rules", "window.observed == 0)", "window.observed <= 1)"),
    Mutant("a baseline of 61 minutes", "incidents.spike", "end - SPAN - HOUR + 1,", "end - SPAN - HOUR,"),
    Mutant("61 minutes late is judged", "incidents.spike", "LATE = 60", "LATE = 61"),
    Mutant("minutes without an event are asked", "incidents.spike", "if end == minute or counts.at(end):", "if True:"),
    Mutant(
        "a window that just fills is left out",
        "incidents.spike",
        "before + coming >= SPIKE_ERRORS",
        "before + coming > SPIKE_ERRORS",
    ),
    Mutant(
        "only thresholds reached within the run",
        "incidents.spike",
        "max(needed - window.before, 1)",
        "needed - window.before",
    ),
    Mutant("a run is asked once, at its end", "incidents.spike", "    return first\n", "    return total\n"),
    Mutant("59 minutes and it is over", "incidents.incident", "LASTS = 60", "LASTS = 59"),
    Mutant("a day less its last minute", "incidents.incident", "<= self.opened_at + DAY", "< self.opened_at + DAY"),
    Mutant(
        "its own usual after a person's resolution",
        "incidents.incident",
        "if self.by_person is not None or not self.opened_at",
        "if not self.opened_at",
    ),
    Mutant(
        "its own usual when it is over",
        "incidents.incident",
        "return self.hour if minute <= self.end else None",
        "return self.hour",
    ),
    Mutant(
        "counted past a person's resolution",
        "incidents.incident",
        "return self.end if self.by_person is None else min(self.end, self.by_person)",
        "return self.end",
    ),
    Mutant(
        "last seen moves back",
        "incidents.incident",
        "last_seen_at=max(incident.last_seen_at, finding.end)",
        "last_seen_at=finding.end",
    ),
    Mutant("restored as open", "incidents.incident", "status=incident.prior", 'status="open"'),
    Mutant("reopened for no longer", "incidents.incident", "by_person=None, reopened=minute)", "by_person=None)"),
    Mutant(
        "severity falls",
        "incidents.incident",
        '"critical" if finding.critical else incident.severity',
        '"critical" if finding.critical else MILD[incident.rule]',
    ),
    Mutant(
        "a critical signup makes a drop critical",
        "incidents.incident",
        "if critical and incident.rule == SPIKE",
        "if critical",
    ),
    Mutant("over in its last minute", "incidents.course", "now > incident.end", "now >= incident.end"),
    Mutant(
        "a window that begins with a person's minute",
        "incidents.course",
        "finding.first > incident.by_person",
        "finding.first >= incident.by_person",
    ),
    Mutant("opened without settling the one before", "incidents.course", "            self.settle(finding.end)\n", ""),
    Mutant(
        "minutes already counted are not taken in",
        "incidents.course",
        "self._grow(self._with(self.incident, first, last), self._criticals.newest(first, last))",
        "pass",
    ),
    Mutant(
        "critical events already counted are forgotten",
        "incidents.course",
        "self._criticals.newest(first, last) is not None",
        "False",
    ),
    Mutant(
        "late events take the place of later minutes",
        "incidents.course",
        "if there is None or there.minute <= minute:",
        "if True:",
    ),
    Mutant("the first event of a minute stays", "incidents.course", "there.minute <= minute", "there.minute < minute"),
    Mutant(
        "the opening event is not kept",
        "incidents.course",
        "            self.keep(minute, [event])\n",
        "            pass\n",
    ),
    Mutant(
        "late signups are judged again",
        "incidents.play",
        "if before is None and self.course.rule == DROP:",
        "if self.course.rule == DROP:",
    ),
    Mutant("judging jumps an hour too early", "incidents.play", "end >= newest + HOUR + SPAN", "end >= newest + SPAN"),
    Mutant("judging jumps over an incident in its day", "incidents.play", " and course.own(end) is None", ""),
    Mutant(
        "the hour of a drop begins a minute late", "incidents.play", "end - SPAN - HOUR + 1", "end - SPAN - HOUR + 2"
    ),
    Mutant(
        "after an opening the next event is not asked",
        "incidents.play",
        "done, alone = stop, course.has_another_than(known)",
        "done, alone = stop, False",
    ),
    Mutant(
        "a reopened incident does not count what came meanwhile",
        "incidents.people",
        "player.course.take_in(before.until + 1, after.until)",
        "pass",
    ),
    Mutant(
        "a person's minute may lie before the newest",
        "incidents.people",
        "minute = max(moment.minute, player.newest)",
        "minute = moment.minute",
    ),
]


@contextmanager
def broken(mutant: Mutant) -> Iterator[dict[str, Any]]:
    """The player and people's acts as they would be, the fault in place; afterwards everything is as it was."""
    before = {name: import_module(name) for name in MODULES}
    try:
        for name in MODULES:
            source = Path(str(before[name].__file__)).read_text(encoding="utf-8")
            if name == f"common.{mutant.module}":
                assert source.count(mutant.says) == 1, f"{mutant.name}: the code no longer says {mutant.says!r}"
                source = source.replace(mutant.says, mutant.instead)
            _load(name, source)
        yield {"player": sys.modules["common.incidents.play"], "acts": sys.modules["common.incidents.people"]}
    finally:
        for name, module in before.items():
            _install(name, module)


def _load(name: str, source: str) -> None:
    module = ModuleType(name)
    _install(name, module)
    exec(compile(source, name, "exec"), module.__dict__)


def _install(name: str, module: ModuleType) -> None:
    parent, _, child = name.rpartition(".")
    sys.modules[name] = module
    setattr(import_module(parent), child, module)


def finder(mutant: Mutant) -> str | None:
    """Which case, or which history, comes out wrong first."""
    with broken(mutant) as parts:
        return next((name for name, is_right in _proofs(parts) if not _holds(is_right)), None)


def _proofs(parts: dict[str, Any]) -> Iterator[tuple[str, Callable[[], bool]]]:
    for case in cases():
        steps = [step for step in case.steps if not step.series]
        for cut, longest in ((histories.at_once, SHORT), (histories.one_by_one, EVENTS)):
            if 0 < len(steps) <= longest:
                yield f"case {case.number}", partial(_case_is_right, case, steps, cut, parts)
    yield "directed history", lambda: not histories.check_directed(**parts)
    for seed in range(HISTORIES):
        yield f"history {seed}", partial(_history_is_right, seed, parts)


def _case_is_right(case: Case, steps: list[Step], cut: histories.Cut, parts: dict[str, Any]) -> bool:
    return histories.play(Shelf(case.kind, **parts), steps, cut).outcomes() == case.incidents


def _history_is_right(seed: int, parts: dict[str, Any]) -> bool:
    return not histories.check(seed, **parts)


def _holds(is_right: Callable[[], bool]) -> bool:
    try:
        return is_right()
    except (AssertionError, TypeError, KeyError, IndexError):
        return False  # it broke down: that shows as well


def main() -> int:
    found = {mutant.name: finder(mutant) for mutant in MUTANTS}
    for name, by in found.items():
        print(f"{by or 'NOT FOUND':<18}{name}")
    return 1 if None in found.values() else 0


if __name__ == "__main__":
    sys.exit(main())
