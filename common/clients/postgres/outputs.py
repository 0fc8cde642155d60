"""Summaries as they are kept: a job's plain one while it waits or where it failed, and the model's checked answer."""

from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from common.clients.postgres.connection import Connection
from common.clients.postgres.jobs import HELD, Job, held

PLAIN = "plain"  # stands where the model's name would


class Output(msgspec.Struct, frozen=True, kw_only=True):
    """`content` is the JSON of an answer; the rest is what code knows about it."""

    model: str
    content: dict[str, Any]
    facts: list[dict[str, Any]]
    references: list[list[int]]
    evidence_given: int
    evidence_held: int
    left_out: dict[str, int] = {}
    input_tokens: int | None = None
    output_tokens: int | None = None
    cost: float | None = None
    seconds: float | None = None


KEEP = """
    INSERT INTO ai_outputs AS had (incident_id, job_id, model, content_json, facts_json, references_json,
                                   evidence_given, evidence_held, left_out, input_tokens, output_tokens, cost, seconds,
                                   created_at)
    SELECT incident_id, id, :model, :content::jsonb, :facts::jsonb, :references::jsonb,
           :given, :evidence_held, :left_out::jsonb, :input_tokens::int, :output_tokens::int, :cost::numeric,
           :seconds::real, :now
      FROM done WHERE incident_id IS NOT NULL
        ON CONFLICT (job_id) WHERE model = 'plain' DO UPDATE
       SET content_json = excluded.content_json, facts_json = excluded.facts_json,
           references_json = excluded.references_json, evidence_given = excluded.evidence_given,
           evidence_held = excluded.evidence_held, created_at = excluded.created_at
"""


def keep_plain(conn: Connection, job: Job, output: Output, now: datetime) -> None:
    """What the incident shows until the model has answered; an answer it has already is worth more."""
    query = f"""
        WITH done AS (SELECT id, incident_id FROM ai_jobs WHERE {HELD} AND NOT EXISTS (
            SELECT 1 FROM ai_outputs o WHERE o.incident_id = ai_jobs.incident_id AND o.model <> 'plain'))
        {KEEP}
    """  # noqa: S608 (our own words)
    conn.run(query, now=now, **held(job), **_values(output))


def succeed(conn: Connection, job: Job, output: Output, now: datetime) -> bool:
    """The job is done, its output kept and the incident renamed, together. False if the lease is lost."""
    query = f"""
        WITH done AS (UPDATE ai_jobs SET status = 'succeeded', leased_until = NULL, last_error = NULL, updated_at = :now
                       WHERE {HELD} RETURNING id, incident_id),
             kept AS ({KEEP}),
             named AS (UPDATE incidents SET title = :title FROM done
                        WHERE incidents.id = done.incident_id AND :title <> '' AND title <> :title)
        SELECT 1 FROM done
    """  # noqa: S608 (our own words)
    title = str(output.content["title"])
    return bool(conn.run(query, now=now, title=title, **held(job), **_values(output)))


class Shown(msgspec.Struct, frozen=True):
    """What an incident shows: its newest summary, and, if that is a plain one, why."""

    model: str
    created_at: datetime
    content: dict[str, Any]
    facts: list[dict[str, Any]]
    references: list[list[int]]
    evidence_given: int
    evidence_held: int
    left_out: dict[str, int]
    mark: str | None


def shown(conn: Connection, org_id: str, incident_id: UUID) -> Shown | None:
    """None until its job was first claimed, and in another organisation."""
    query = """
        SELECT o.model, o.created_at, o.content_json::text, o.facts_json::text, o.references_json::text,
               o.evidence_given, o.evidence_held, o.left_out::text, j.status, j.last_error, j.run_after
          FROM ai_outputs o JOIN incidents i ON i.id = o.incident_id LEFT JOIN ai_jobs j ON j.id = o.job_id
         WHERE o.incident_id = :incident AND i.org_id = :org AND o.output_type = 'summary'
         ORDER BY o.model = 'plain', o.created_at DESC LIMIT 1
    """
    rows = conn.run(query, incident=incident_id, org=org_id)
    if not rows:
        return None
    [[model, created_at, content, facts, references, given, evidence_held, left_out, status, error, run_after]] = rows
    read, why = msgspec.json.decode, mark(status, error, run_after) if model == PLAIN else None
    found = (read(content), read(facts), read(references))
    return Shown(model, created_at, *found, given, evidence_held, read(left_out), why)


def mark(status: str | None, error: str | None, run_after: datetime) -> str:
    """What stands beside a plain summary."""
    if status == "failed":
        return f"These are the plain facts: the model failed. Last reason: {error}"
    if status == "queued" and error:
        return f"These are the plain facts: the model is asked again at {run_after:%Y-%m-%d %H:%M:%S} UTC. {error}"
    if status in ("queued", "running"):
        return "These are the plain facts: the model has not answered yet."
    return "These are the plain facts: no model is configured."


def _values(output: Output) -> dict[str, object]:
    return {
        "model": output.model,
        "content": _json(output.content),
        "facts": _json(output.facts),
        "references": _json(output.references),
        "given": output.evidence_given,
        "evidence_held": output.evidence_held,
        "left_out": _json(output.left_out),
        "input_tokens": output.input_tokens,
        "output_tokens": output.output_tokens,
        "cost": output.cost,
        "seconds": output.seconds,
    }


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()
