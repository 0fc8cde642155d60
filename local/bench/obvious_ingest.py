"""The baseline of `local/bench/ingest.py`: ingest as one writes it first. pydantic twice, and a flush a request.

It does less than ours: no limits, no compression, no rate, no list of what was bad; its one key is in memory.
"""

import os
from datetime import UTC, datetime
from functools import cache
from typing import Any, Literal
from uuid import UUID, uuid4

from confluent_kafka import Producer
from flask import Request
from pydantic import AwareDatetime, BaseModel, Field

from common import topics

PROJECTS = {os.environ["BENCH_KEY"]: ("acme", "shop")}


@cache
def producer() -> Any:
    """The framework forks after loading us, and a producer does not survive that."""
    return Producer({"bootstrap.servers": os.environ["KAFKA_BROKERS"], "enable.idempotence": True, "acks": "all"})


class Event(BaseModel):
    event_id: UUID = Field(default_factory=uuid4)
    occurred_at: AwareDatetime
    environment: Literal["prod", "staging", "dev"] = "dev"
    event_type: Literal["error", "http_request", "signup", "deploy", "feedback", "custom"]
    severity: Literal["debug", "info", "warn", "error", "critical"] = "info"
    message: str = Field(min_length=1, max_length=8192)
    attributes: dict[str, str | int | float | bool | None] = {}
    payload: dict[str, Any] = {}


class Envelope(Event):
    schema_version: str = "1.0"
    received_at: AwareDatetime
    org_id: str
    project_id: str


def ingest(request: Request) -> tuple[dict[str, Any], int]:
    project = PROJECTS.get(request.headers.get("X-Api-Key", ""))
    if project is None:
        return {"error": "unknown key"}, 401
    body = request.get_json()
    ids = [publish(Event.model_validate(one), *project) for one in (body if isinstance(body, list) else [body])]
    producer().flush()
    return {"accepted": len(ids), "event_ids": ids}, 202


def publish(event: Event, org_id: str, project_id: str) -> str:
    envelope = Envelope.model_validate(
        event.model_dump() | {"received_at": datetime.now(UTC), "org_id": org_id, "project_id": project_id}
    )
    code, route = event.attributes.get("error_code"), event.attributes.get("route")
    producer().produce(topics.RAW, envelope.model_dump_json(), f"{org_id}|{project_id}|{code}|{route}")
    return str(envelope.event_id)
