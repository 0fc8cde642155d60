"""An incident and its states: open -> investigating -> resolved. Every change answers a new value.

What belongs to an incident is decided by minutes, never by its status: so it does not matter when time is noticed.
"""

from typing import Literal

import msgspec
from msgspec.structs import replace

from common.detection.rules import DROP, MINUTES, SPIKE, Finding, Rule

Status = Literal["open", "investigating", "resolved"]
Severity = Literal["warn", "error", "critical"]

LASTS = 60  # minutes without a finding until it is over
DAY = 24 * 60  # so long a finding may be measured by the usual the incident opened with
MILD: dict[Rule, Severity] = {SPIKE: "error", DROP: "warn"}


class Incident(msgspec.Struct, frozen=True, gc=False):
    """Times are minutes of the series; `hour` is the sum of the hour before the window that opened it."""

    id: str
    rule: Rule
    opened_at: int
    last_seen_at: int
    severity: Severity
    observed: int
    hour: int
    peak: int
    event_count: int
    last_event_at: int | None
    status: Status = "open"
    prior: Status = "open"  # what time resolved, and what taking that back restores
    resolved_at: int | None = None
    by_person: int | None = None  # the minute of a person's resolution
    reopened: int | None = None
    kept: int = 0  # how many of the first representative events there are
    recurrence_of: str | None = None

    @property
    def first(self) -> int:
        """The first minute of the window that opened it: from here on its events are counted."""
        return self.opened_at - MINUTES[self.rule] + 1

    @property
    def end(self) -> int:
        """The last minute in which a finding continues it: sixty after it was last seen, or reopened."""
        seen, reopened = self.last_seen_at, self.reopened
        return (seen if reopened is None or reopened < seen else reopened) + LASTS

    @property
    def until(self) -> int:
        """The last minute whose events it counts."""
        return self.end if self.by_person is None else min(self.end, self.by_person)

    def covers(self, minute: int) -> bool:
        return self.first <= minute <= self.until

    def own(self, minute: int) -> int | None:
        """The hour it opened with, for a day and while it is not over: an incident does not become its own usual."""
        if self.by_person is not None or not self.opened_at <= minute <= self.opened_at + DAY:
            return None
        return self.hour if minute <= self.end else None


def opened(finding: Finding, incident_id: str, after: Incident | None) -> Incident:
    """With the sum and the usual at the event that opened it; the events are counted next."""
    return Incident(
        id=incident_id,
        rule=finding.rule,
        opened_at=finding.end,
        last_seen_at=finding.end,
        severity="critical" if finding.critical else MILD[finding.rule],
        observed=finding.observed,
        hour=finding.hour,
        peak=finding.observed,
        event_count=0,
        last_event_at=None,
        recurrence_of=after.id if after else None,
    )


def continued(incident: Incident, finding: Finding) -> Incident:
    """Last seen and the peak move one way, and severity only rises."""
    worst = max if incident.rule == SPIKE else min
    return replace(
        incident,
        last_seen_at=max(incident.last_seen_at, finding.end),
        peak=worst(incident.peak, finding.observed),
        severity="critical" if finding.critical else incident.severity,
    )


def counting(incident: Incident, events: int, newest: int | None, *, critical: bool) -> Incident:
    """These events are its own; of a spike a critical one makes it critical."""
    if newest is None or (incident.last_event_at is not None and incident.last_event_at > newest):
        newest = incident.last_event_at
    severity = "critical" if critical and incident.rule == SPIKE else incident.severity
    return replace(incident, event_count=incident.event_count + events, last_event_at=newest, severity=severity)


def resolved_by_time(incident: Incident) -> Incident:
    return replace(incident, status="resolved", prior=incident.status, resolved_at=incident.end)


def restored(incident: Incident) -> Incident:
    """Time had resolved it too early: it has the status again that it had."""
    return replace(incident, status=incident.prior, resolved_at=None)


def acknowledged(incident: Incident) -> Incident:
    return replace(incident, status="investigating")


def unacknowledged(incident: Incident) -> Incident:
    return replace(incident, status="open")


def resolved_by_person(incident: Incident, minute: int) -> Incident:
    return replace(incident, status="resolved", prior=incident.status, resolved_at=minute, by_person=minute)


def reopened(incident: Incident, minute: int) -> Incident:
    """It is not over before sixty minutes from now."""
    return replace(incident, status="open", resolved_at=None, by_person=None, reopened=minute)
