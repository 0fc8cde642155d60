"""The local stack: thirty errors become an incident that explains itself, with a model, without, or despite one."""

import json
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import httpx
import pytest

from common import settings
from common.clients.postgres import outputs
from common.clients.postgres.connection import Connection
from local.checkout import Checkout
from tests import servers

ROUTE = "/checkout"
START = Callable[..., "Stack"]


@pytest.fixture(scope="module")
def checkout() -> Iterator[Checkout]:
    made = Checkout(servers.home())
    yield made
    made.remove()


@pytest.fixture
def start(checkout: Checkout) -> Iterator[START]:
    made: list[Stack] = []

    def start(**environ: str) -> Stack:
        made.append(Stack(checkout, **environ))
        return made[-1]

    yield start
    for one in made:
        one.close()


class Stack:
    """A running stack, its database, and the incident that thirty errors of a code become."""

    def __init__(self, checkout: Checkout, **environ: str) -> None:
        self.checkout = checkout
        done = checkout.make("up", timeout=120, **environ)
        assert done.returncode == 0, done.stderr + done.stdout
        self.said = done.stdout
        self.env = checkout.env()
        self.conn = Connection(settings.read({"DATABASE_URL": self.env["DATABASE_URL"]}).database)
        self.code = f"E_{time.time_ns()}"

    def post_thirty(self) -> float:
        """When the last was accepted."""
        now = datetime.now(UTC).isoformat()
        attributes = {"route": ROUTE, "error_code": self.code, "status_code": 504}
        event = {"event_type": "error", "environment": "prod", "severity": "error", "occurred_at": now}
        events = [event | {"message": "upstream timeout", "attributes": attributes} for _ in range(30)]
        headers = {"x-api-key": self.env["PROJECT_API_KEY"], "content-type": "application/json"}
        url = f"{self.env['INGEST_API_URL']}/v1/events/batch"
        assert httpx.post(url, content=json.dumps(events), headers=headers, timeout=30).status_code == 202
        return time.monotonic()

    def wait_for(self, sql: str, seconds: float = 60) -> list[Any]:
        until = time.monotonic() + seconds
        while not (rows := self.conn.run(sql, code=self.code)):
            assert time.monotonic() < until, sql
            time.sleep(0.05)
        return list(rows[0])

    def summary(self, wanted: str) -> outputs.Shown:
        """Once it is by whom we want it."""
        [incident] = self.wait_for(
            "SELECT i.id FROM incidents i JOIN ai_outputs o ON o.incident_id = i.id "
            f"WHERE error_code = :code AND model {wanted}"
        )
        found = outputs.shown(self.conn, "demo", UUID(str(incident)))
        assert found
        return found

    def job(self) -> list[Any]:
        [row] = self.conn.run(
            "SELECT j.status, j.attempt_count, j.last_error FROM ai_jobs j JOIN incidents i ON i.id = j.incident_id "
            "WHERE error_code = :code",
            code=self.code,
        )
        return list(row)

    def close(self) -> None:
        self.conn.close()
        assert self.checkout.make("down").returncode == 0


def test_with_the_stand_in_an_incident_gets_a_title_and_a_checked_summary(start: START) -> None:
    stack = start()
    assert "a stand-in, no real one" in stack.said
    accepted = stack.post_thirty()
    found = stack.summary("<> 'plain'")
    print(f"accepted to checked summary: {time.monotonic() - accepted:.2f} s")
    assert found.model == "stand-in (no real model)"
    assert (found.evidence_held, found.left_out) == (len(found.content["evidence"]), {})
    [title] = stack.wait_for("SELECT title FROM incidents WHERE error_code = :code")
    assert title == found.content["title"] == f"{stack.code} on {ROUTE} in prod"
    assert stack.job()[:2] == ["succeeded", 0]


def test_without_a_model_the_facts_are_there_as_fast(start: START) -> None:
    stack = start(GRADIENT_BASE_URL="")
    assert "none: summaries are the plain facts" in stack.said
    accepted = stack.post_thirty()
    found = stack.summary("= 'plain'")
    print(f"accepted to plain summary: {time.monotonic() - accepted:.2f} s")
    assert found.mark == "These are the plain facts: no model is configured."
    assert found.content["evidence"][0].startswith("The incident opened at ")


def test_with_a_failing_model_the_facts_are_there_at_once_and_the_failure_after_the_third_attempt(
    start: START,
) -> None:
    stack = start(GRADIENT_MODEL="stand-in:error")
    accepted = stack.post_thirty()
    found = stack.summary("= 'plain'")
    print(f"accepted to plain facts: {time.monotonic() - accepted:.2f} s")
    assert (found.mark or "").startswith("These are the plain facts: the model ")
    stack.wait_for(
        "SELECT 1 FROM ai_jobs j JOIN incidents i ON i.id = j.incident_id "
        "WHERE error_code = :code AND j.status = 'failed'"
    )
    print(f"accepted to the third failure: {time.monotonic() - accepted:.2f} s")
    status, attempts, error = stack.job()
    assert (status, attempts) == ("failed", 3)
    assert error.startswith("http_500: ")
    mark = stack.summary("= 'plain'").mark
    assert mark == f"These are the plain facts: the model failed. Last reason: {error}"
