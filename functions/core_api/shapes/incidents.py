"""Incidents, their events, summary, timeline and plot."""

from datetime import datetime
from typing import Any

from pydantic import Field

from common.detection.rules import Rule
from common.events.envelope import EventType
from common.events.envelope import Severity as EventSeverity
from common.incidents.incident import Severity, Status
from common.incidents.timeline import What
from functions.core_api.parameters import Name, Text
from functions.core_api.shapes.base import (
    LATER,
    OTHER_ID,
    Body,
    Environment,
    Next,
    Org,
    Project,
    Shape,
    Time,
    Uuid,
)
from functions.core_api.shapes.deploys import Deploy


class Incident(Shape):
    """One failing thing, as a list shows it."""

    id: Uuid
    org_id: Org
    project_id: Project
    environment: Environment
    fingerprint: str = Field(examples=["UPSTREAM_TIMEOUT|/checkout|prod"])
    rule: Rule = Field(examples=["error_spike"])
    service: str | None = Field(examples=[None])
    route: str | None = Field(examples=["/checkout"])
    error_code: str | None = Field(examples=["UPSTREAM_TIMEOUT"])
    status: Status = Field(examples=["open"])
    severity: Severity = Field(examples=["critical"])
    title: str = Field(examples=["Errors spike on /checkout: UPSTREAM_TIMEOUT (prod)"])
    assignee: str | None = Field(examples=["anna"], description="The name of an access token.")
    opened_at: Time = Field(description="The minute in which the rule held first; it never moves.")
    last_seen_at: Time = Field(description="The last minute in which the rule held.")
    resolved_at: datetime | None = Field(examples=[None])
    window_minutes: int = Field(examples=[5])
    observed: int = Field(examples=[312], description="The window's sum at the event that opened it.")
    usual: float = Field(examples=[2.5], description="What such a window had in the hour before.")
    peak: int = Field(examples=[401], description="The worst sum of a window while the rule held.")
    event_count: int = Field(examples=[1204])
    last_event_at: datetime | None = Field(examples=[LATER])
    recurrence_of: Uuid | None = Field(examples=[None], description="The incident before it of the same thing.")


class IncidentEvent(Shape):
    """One of at most 100 events that stand for all of them: the first fifty, then the newest of each minute."""

    id: int = Field(examples=[17])
    event_id: Uuid
    occurred_at: Time
    event_type: EventType = Field(examples=["error"])
    severity: EventSeverity = Field(examples=["error"])
    message: str = Field(examples=["upstream timed out after 3000 ms"])
    attributes: dict[str, Any] = Field(examples=[{"route": "/checkout", "error_code": "UPSTREAM_TIMEOUT"}])


class Summary(Shape):
    """What the model said, of which code has checked the evidence; `plain` where no model has answered."""

    title: str = Field(examples=["Checkout times out on its payment provider"])
    impact: str = Field(examples=["Nobody can pay since 10:01."])
    likely_causes: list[str] = Field(examples=[["Release 42 halved the time-out."]])
    evidence: list[str] = Field(examples=[["312 errors in five minutes, where 2.5 are usual."]])
    next_steps: list[str] = Field(examples=[["Roll release 42 back."]])
    confidence: float = Field(examples=[0.8], ge=0, le=1)
    model: str = Field(examples=["llama3.3-70b-instruct"])
    created_at: Time
    references: list[list[int]] = Field(examples=[[[1]]], description="For each item of evidence, the facts it cites.")
    facts: list[dict[str, Any]] = Field(examples=[[]], description="Numbered from 1; each names what proves it.")
    mark: str | None = Field(examples=[None], description="Why this is a plain summary, if it is one.")


class Entry(Shape):
    """One change: who, when, why, and with which numbers."""

    id: int = Field(examples=[3])
    at: Time = Field(description="The time of the series, in which events happen.")
    done_at: Time = Field(description="When it was written down.")
    who: str = Field(examples=["engine"])
    what: What = Field(examples=["opened"])
    why: str = Field(examples=["errors spike"])
    numbers: dict[str, float] | None = Field(examples=[{"observed": 312, "usual": 2.5, "minutes": 5}])


class Series(Shape):
    """What its plot shows: the counts of equal parts of time, from an hour before its window on."""

    metric_name: str = Field(examples=["error_count"])
    since: Time = Field(alias="from")
    until: Time = Field(alias="to", examples=[LATER])
    bucket_seconds: int = Field(examples=[60], description="More than 60 for a long incident.")
    values: list[int] = Field(examples=[[0, 1, 0, 2, 312]])


class Recurrence(Shape):
    """Another incident of the same thing."""

    id: Uuid = Field(examples=[OTHER_ID])
    status: Status = Field(examples=["resolved"])
    severity: Severity = Field(examples=["error"])
    title: str = Field(examples=["Errors spike on /checkout: UPSTREAM_TIMEOUT (prod)"])
    opened_at: Time
    resolved_at: datetime | None = Field(examples=[LATER])


class WholeIncident(Incident):
    """One incident with all that belongs to it."""

    events: list[IncidentEvent]
    summary: Summary | None
    timeline: list[Entry]
    series: Series
    recurrences: list[Recurrence]
    deploys: list[Deploy]


class Incidents(Shape):
    incidents: list[Incident]
    next: Next


class Why(Body):
    """A reason, for the timeline."""

    why: Text | None = Field(default=None, examples=["Looking into it."])


class Assignment(Body):
    assignee: Name | None = Field(examples=["anna"], description="The name of an access token; null for nobody.")


class Comment(Body):
    text: Text = Field(examples=["The provider has confirmed it."])
