"""Numbers: now against before, and over time."""

from typing import Literal

from pydantic import Field

from common.events.envelope import EventType
from functions.core_api.shapes.base import LATER, Shape, Time


class Hours(Shape):
    """The same sixty minutes, at four times."""

    now: int = Field(examples=[312])
    hour_before: int = Field(examples=[12])
    day_before: int = Field(examples=[10])
    week_before: int = Field(examples=[9])


class Burning(Shape):
    """Incidents that are not resolved."""

    open: int = Field(examples=[1])
    investigating: int = Field(examples=[0])
    critical: int = Field(examples=[1])


class Overview(Shape):
    at: Time
    minutes: int = Field(examples=[60])
    events: Hours
    by_type: dict[EventType, Hours] = Field(examples=[{}])
    incidents: Burning


class Trend(Shape):
    name: str = Field(examples=["error"])
    total: int = Field(examples=[312])
    values: list[int] = Field(examples=[[0, 2, 310]])


class Trends(Shape):
    """Each series has one value for every step from `from` to `to`."""

    since: Time = Field(alias="from")
    until: Time = Field(alias="to", examples=[LATER])
    step: Literal["minute", "hour", "day"] = Field(examples=["minute"])
    by: Literal["event_type", "severity", "environment", "route"] = Field(examples=["event_type"])
    series: list[Trend]
