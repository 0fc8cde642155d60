"""Deploys."""

from pydantic import Field

from functions.core_api.shapes.base import Environment, Next, Org, Project, Shape, Time, Uuid


class Deploy(Shape):
    event_id: Uuid
    org_id: Org
    project_id: Project
    environment: Environment
    occurred_at: Time
    service: str | None = Field(examples=["checkout"])
    release: str | None = Field(examples=["42"])
    message: str = Field(examples=["checkout 42 deployed"])


class Deploys(Shape):
    deploys: list[Deploy]
    next: Next
