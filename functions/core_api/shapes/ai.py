"""AI jobs and how they fare."""

from datetime import datetime
from typing import Literal

from pydantic import Field

from functions.core_api.shapes.base import LATER, Environment, Next, Project, Shape, Time, Uuid

JobStatus = Literal["queued", "running", "succeeded", "failed"]


class Job(Shape):
    id: Uuid
    incident_id: Uuid
    incident_title: str = Field(examples=["Errors spike on /checkout: UPSTREAM_TIMEOUT (prod)"])
    project_id: Project
    environment: Environment
    job_type: str = Field(examples=["incident_summary"])
    status: JobStatus = Field(examples=["failed"])
    attempt_count: int = Field(examples=[3])
    max_attempts: int = Field(examples=[3])
    run_after: Time
    leased_until: datetime | None = Field(examples=[None])
    last_error: str | None = Field(examples=["the answer is no JSON"])
    created_at: Time
    updated_at: Time


class Jobs(Shape):
    jobs: list[Job]
    next: Next


class Seconds(Shape):
    """From the opening of an incident to its summary."""

    median: float = Field(examples=[4.2])
    p95: float = Field(examples=[11.0])


class Stats(Shape):
    """What waits and runs now, and what ended in the last 24 hours."""

    since: Time
    queued: int = Field(examples=[0])
    running: int = Field(examples=[1])
    oldest_due_at: datetime | None = Field(examples=[LATER], description="Since when the longest waiting is due.")
    succeeded: int = Field(examples=[40])
    failed: int = Field(examples=[2])
    seconds: Seconds | None
    configured: bool = Field(
        examples=[True], description="Whether a model is configured; without, summaries are plain."
    )
    model: str | None = Field(examples=["llama3.3-70b-instruct"])


class Hour(Shape):
    at: Time
    succeeded: int = Field(examples=[3])
    failed: int = Field(examples=[0])


class Activity(Shape):
    """Jobs that ended, hour by hour, the last being now."""

    hours: list[Hour]
