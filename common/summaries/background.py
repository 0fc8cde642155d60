"""What is known about an incident when its summary is written: values only, from Postgres and from search."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Subject(msgspec.Struct, frozen=True):
    """The incident with the numbers that made its rule fire."""

    id: UUID
    org_id: str
    project_id: str
    environment: str
    rule: str
    service: str | None
    route: str | None
    error_code: str | None
    severity: str
    title: str
    opened_at: datetime
    last_seen_at: datetime
    window_minutes: int
    observed: int
    usual: float
    peak: int
    event_count: int
    last_event_at: datetime | None

    @property
    def first(self) -> datetime:
        """The first minute of the window that opened it."""
        return self.opened_at - timedelta(minutes=self.window_minutes - 1)


class Before(msgspec.Struct, frozen=True):
    id: UUID
    opened_at: datetime
    last_seen_at: datetime


class Neighbour(msgspec.Struct, frozen=True):
    """Another incident that began about then."""

    id: UUID
    rule: str
    route: str | None
    error_code: str | None
    opened_at: datetime


class Deploy(msgspec.Struct, frozen=True):
    event_id: UUID
    occurred_at: datetime
    service: str | None
    release: str | None
    message: str


class Event(msgspec.Struct, frozen=True):
    event_id: UUID
    occurred_at: datetime
    message: str
    severity: str = ""
    slot: int = 0
    attributes: dict[str, str] = {}


class Seen(msgspec.Struct, frozen=True):
    """What search gave: how many of the window's events it held, some of them, and the other errors by route."""

    answered: bool = False
    held: int = 0
    events: tuple[Event, ...] = ()
    other_errors: int = 0
    other_routes: dict[str, int] = {}


class Background(msgspec.Struct, frozen=True):
    """`minutes` are [minute, count] of the hour before the window and of the window itself."""

    incident: Subject
    now: datetime
    minutes: list[tuple[int, int]]
    newest: int | None
    present: int
    before: Before | None
    together: list[Neighbour]
    deploys: list[Deploy]
    events: list[Event]
    seen: Seen = Seen()

    @property
    def noun(self) -> str:
        return "errors" if self.incident.rule == "error_spike" else "signups"

    def texts(self) -> list[str]:
        """Every text somebody else wrote."""
        events = [*self.events, *self.seen.events]
        attributes = [value for event in events for value in event.attributes.values()]
        return [*(event.message for event in events), *attributes, *(deploy.message for deploy in self.deploys)]


def event_of(document: dict[str, Any]) -> Event:
    """An event as search knows it, its attributes as text, twenty at most."""
    attributes = {name: str(value) for name, value in document.get("attributes", {}).items() if value is not None}
    return Event(
        UUID(str(document["event_id"])),
        datetime.fromisoformat(str(document["occurred_at"])),
        str(document["message"]),
        str(document["severity"]),
        attributes=dict(list(attributes.items())[:20]),
    )
