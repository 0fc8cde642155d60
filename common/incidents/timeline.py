"""The timeline: one entry for every change of an incident, with who, when, why and the numbers that decided."""

from collections.abc import Mapping
from typing import Literal, NamedTuple

from common.detection.rules import MINUTES, SPIKE, Finding, usual
from common.incidents.incident import Incident

What = Literal[
    "opened",
    "worsened",
    "resolved",
    "restored",
    "acknowledged",
    "unacknowledged",
    "reopened",
    "assigned",
    "commented",
    "summary_asked",
]
Numbers = Mapping[str, int | float]

ENGINE, CLOCK = "engine", "clock"  # who, where it was no person

NOTHING: Numbers = {}


class Entry(NamedTuple):
    """`minute` is that of the series; when it was written down, the database knows."""

    incident: str
    minute: int | None
    who: str
    what: What
    why: str = ""
    numbers: Numbers = NOTHING


def opening(incident: Incident, finding: Finding, who: str) -> Entry:
    return Entry(incident.id, finding.end, who, "opened", _found(finding), numbers(finding))


def worsening(incident: Incident, finding: Finding, who: str) -> Entry:
    why = f"{_found(finding)}, critically" if finding.rule == SPIKE else "no signups at all"
    return Entry(incident.id, finding.end, who, "worsened", why, numbers(finding))


def critical_event(incident: Incident, minute: int | None, who: str) -> Entry:
    return Entry(incident.id, minute, who, "worsened", "an event of it is critical")


def restoring(incident: Incident, finding: Finding, who: str) -> Entry:
    why = "late events: it went on before its sixty minutes had passed"
    return Entry(incident.id, finding.end, who, "restored", why, numbers(finding))


def passing(incident: Incident, who: str) -> Entry:
    """Time resolved it."""
    counted = {"event_count": incident.event_count, "peak": incident.peak}
    return Entry(incident.id, incident.end, who, "resolved", "nothing unusual for sixty minutes", counted)


def numbers(finding: Finding) -> Numbers:
    return {
        "observed": finding.observed,
        "usual": round(usual(finding.rule, finding.hour), 3),
        "minutes": MINUTES[finding.rule],
    }


def _found(finding: Finding) -> str:
    return "errors spike" if finding.rule == SPIKE else "signups dry up"
