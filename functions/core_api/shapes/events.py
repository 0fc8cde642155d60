"""Events as search finds them."""

from datetime import datetime
from typing import Any

from pydantic import Field

from common.events.envelope import EventType, Severity
from functions.core_api.shapes.base import Environment, Next, Org, Project, Shape, Time, Uuid


class Event(Shape):
    event_id: Uuid
    occurred_at: Time
    received_at: Time
    org_id: Org
    project_id: Project
    environment: Environment
    event_type: EventType = Field(examples=["error"])
    severity: Severity = Field(examples=["error"])
    message: str = Field(examples=["upstream timed out after 3000 ms"])
    attributes: dict[str, Any] = Field(examples=[{"route": "/checkout", "status_code": 504}])
    payload: dict[str, Any] = Field(examples=[{}])
    minted: bool = Field(examples=[True], description="Whether the id was made at the door.")
    clamped: datetime | None = Field(examples=[None], description="The time claimed, where it lay in the future.")
    highlights: dict[str, list[tuple[int, int]]] = Field(
        examples=[{"message": [[0, 8]]}], description="Where the query's words stand: from and to, in characters."
    )


class Events(Shape):
    events: list[Event]
    total: int = Field(examples=[1204], description="Every match, exactly.")
    next: Next


class Counted(Shape):
    """How many matches have which value, the most frequent first; of routes the twenty most frequent."""

    event_type: dict[str, int] = Field(examples=[{"error": 1204, "http_request": 88}])
    severity: dict[str, int] = Field(examples=[{"error": 1200, "critical": 4}])
    route: dict[str, int] = Field(examples=[{"/checkout": 1204}])
