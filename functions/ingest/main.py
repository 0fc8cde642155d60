"""POST /v1/events and /v1/events/batch: check the key, seal the events, put them on the stream, answer 202."""

import asyncio
import os
from datetime import datetime
from functools import cache
from time import monotonic
from uuid import UUID

import msgspec

from common import edge, settings, topics
from common.clients import stream
from common.clients.postgres.keys import Project
from common.edge import clocks
from common.edge.values import Request, Response, only_post, reply
from common.errors import Problem
from common.events.batch import Rejected, decode_many
from common.events.envelope import Envelope, Event, encode, seal
from common.events.identity import stream_key, uuid7
from common.events.limits import Limits
from common.events.reading import decode_one
from common.version import VERSION
from functions.ingest.access import Access
from functions.ingest.allowance import Allowances, Headers
from functions.ingest.bodies import inflated

JSON = ("content-type", "application/json")


async def handle(request: Request) -> Response:
    """202 means that the stream has every event of the answer for good."""
    if request.path in ("/health", "/healthz"):
        return reply(200, {"status": "ok", "version": VERSION})
    if request.path == "/readyz":
        await asyncio.get_running_loop().run_in_executor(None, stream.shared().ends, topics.RAW)
        return reply(200, {"status": "ready", "version": VERSION})
    accept = {"/v1/events": one, "/v1/events/batch": many}.get(request.path.rstrip("/"))
    if accept is None:
        raise Problem("not_found", "There is POST /v1/events and POST /v1/events/batch.", status=404)
    only_post(request)
    project = await access().project_of(request.headers)
    return await accept(project, inflated(request, settings.current().max_body_bytes), clocks.now())


async def one(project: Project, body: bytes, now: datetime) -> Response:
    """One event: its id and the time it was received."""
    event = decode_one(body, limits())
    fields = await allowances().admit(project, 1, now)
    [envelope] = await publish(project, [event], now)
    answer = {"event_id": envelope.event_id, "received_at": envelope.received_at}
    return accepted(answer, fields, {"event_id": str(envelope.event_id)})


async def many(project: Project, body: bytes, now: datetime) -> Response:
    """A batch: the good ones are taken, the bad ones listed by their place; 422 if none is good."""
    batch = decode_many(body, limits())
    if not batch.events:
        raise Problem("all_rejected", "No event of this batch is good.", more={"rejected": listed(batch.rejected)})
    fields = await allowances().admit(project, len(batch.events), now)
    envelopes = await publish(project, batch.events, now)
    ids = [envelope.event_id for envelope in envelopes]
    answer = {"accepted": len(ids), "event_ids": ids, "rejected": batch.rejected}
    return accepted(answer, fields, {"event_id": str(ids[0]), "events": len(ids), "rejected": len(batch.rejected)})


async def publish(project: Project, events: list[Event], now: datetime) -> list[Envelope]:
    """Seal them, and wait until the stream has them all."""
    unix_ms = int(now.timestamp() * 1000)

    def new_id() -> UUID:
        return uuid7(unix_ms, int.from_bytes(os.urandom(10), "big") >> 6)

    envelopes = [seal(event, project.org_id, project.id, now, new_id) for event in events]
    await stream.shared().publish(topics.RAW, [(key_of(envelope), encode(envelope)) for envelope in envelopes])
    return envelopes


def key_of(envelope: Envelope) -> bytes:
    code, route = envelope.attributes.get("error_code"), envelope.attributes.get("route")
    assert code is None or isinstance(code, str)  # the contract says so, the dict's type cannot
    assert route is None or isinstance(route, str)
    return stream_key(envelope.org_id, envelope.project_id, envelope.event_type, code, route)


def accepted(answer: object, fields: Headers, log: dict[str, object]) -> Response:
    return Response(202, msgspec.json.encode(answer), [JSON, *fields], log)


def listed(rejected: list[Rejected]) -> object:
    return msgspec.to_builtins(rejected)


@cache
def limits() -> Limits:
    ours = settings.current()
    return Limits(ours.environments, ours.max_event_bytes, ours.max_batch_events)


@cache
def access() -> Access:
    from functions.ingest import lookups  # pg8000, 60 ms: not before a key must be looked up

    return Access(lookups.projects_of, monotonic)


@cache
def allowances() -> Allowances:
    from functions.ingest import lookups

    return Allowances(lookups.take)


asgi, gcp, aws, main = edge.http(handle)
