"""The boundary cases of `fixtures/rules/cases.txt` as values: what arrives, and the incidents it must give."""

import re
from functools import cache
from pathlib import Path
from typing import NamedTuple

TABLE = Path(__file__).parent.parent / "fixtures" / "rules" / "cases.txt"


class Step(NamedTuple):
    """One event, one look of the clock, or one act of a person; `minute` is that of the series."""

    what: str  # event | clock | acknowledge | unacknowledge | resolve | reopen
    minute: int
    critical: bool = False
    series: str = ""


class Outcome(NamedTuple):
    """An incident as a case states it; `hour` is the sum of the hour whose share the usual is."""

    opened_at: int
    last_seen_at: int
    severity: str
    status: str
    resolved_at: int | None
    by_person: bool
    event_count: int
    observed: int
    hour: int
    peak: int
    recurrence: bool


class Case(NamedTuple):
    number: int
    shows: str
    kind: str  # error | signup
    steps: list[Step]
    incidents: list[Outcome]


@cache
def cases() -> list[Case]:
    lines = TABLE.read_text(encoding="utf-8").splitlines()
    return [_case(line) for line in lines if line and not line.startswith("#")]


def steps_of(given: str) -> tuple[str, list[Step]]:
    """The kind of the series and what arrives."""
    kind, *words = given.split()
    return {"E": "error", "S": "signup"}[kind], [step for word in words for step in _steps(word)]


def _case(line: str) -> Case:
    number, shows, given, expected = (part.strip() for part in line.split("|"))
    outcomes = [] if expected == "none" else [_outcome(part) for part in expected.split(";")]
    return Case(int(number), shows, *steps_of(given), outcomes)


def _steps(word: str) -> list[Step]:
    if "=" in word:
        what, minute = word.split("=")
        return [Step(what, int(minute))]
    found = re.fullmatch(r"(\d+)(!?)@(-?\d+)(?:\.\.(-?\d+)(?:/(\d+))?)?(?::(\w+))?", word)
    assert found, f"not a step: {word}"
    times, critical, first, last, stride, series = found.groups()
    minutes = range(int(first), int(last or first) + 1, int(stride or 1))
    return [Step("event", minute, bool(critical), series or "") for minute in minutes for _ in range(int(times))]


def _outcome(text: str) -> Outcome:
    span, severity, status, *rest = text.split()
    opened, last_seen = span.split("..")
    status, _, resolved = status.partition("=")
    numbers = dict(word.split("=") for word in rest if "=" in word)
    return Outcome(
        opened_at=int(opened),
        last_seen_at=int(last_seen),
        severity=severity,
        status=status,
        resolved_at=int(resolved) if resolved else None,
        by_person=numbers.get("by") == "person",
        event_count=int(numbers["count"]),
        observed=int(numbers["observed"]),
        hour=int(numbers["usual"].split("/")[0]),
        peak=int(numbers["peak"]),
        recurrence="recurrence" in rest,
    )
