"""POST /v1/events and /v1/events/batch: check the key, seal the events, put them on the stream, answer 202."""

import asyncio
import os
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from functools import cache
from time import monotonic
from typing import TypeVar
from uuid import UUID

import msgspec
from msgspec import UNSET

from common import edge, settings, topics
from common.clients import stream
from common.clients.postgres.keys import Project, Taken
from common.clients.stream.pending import WAIT_SECONDS
from common.edge import clocks
from common.edge.values import Request, Response, only_post, reply
from common.errors import Problem, Unavailable
from common.events.batch import decode_many
from common.events.envelope import Envelope, Event, encode, seal
from common.events.identity import stream_key, uuid7_number
from common.events.limits import Limits
from common.events.reading import decode_one
from common.metrics import names
from common.version import VERSION
from functions.ingest.access import Access
from functions.ingest.allowance import Allowances, Headers
from functions.ingest.bodies import inflated
from functions.ingest.readiness import Readiness

Answer = TypeVar("Answer")

JSON = ("content-type", "application/json")
ANSWER_SECONDS = WAIT_SECONDS  # with the lookups before it, no more than for the stream alone

Accept = Callable[[Project, Request], Awaitable[Response]]
ROOM_TO_COUNT = ~(1 << 61)  # without the highest of an id's last 62 bits, which counting up must not carry beyond


async def handle(request: Request) -> Response:
    """202 means that the stream has every event of the answer for good."""
    if accept := ACCEPT.get(request.path.rstrip("/")):
        only_post(request)
        return await taken(request, accept)
    if request.path in ("/health", "/healthz"):
        return reply(200, {"status": "ok", "version": VERSION})
    if request.path == "/readyz":
        await in_time(readiness().check())
        return reply(200, {"status": "ready", "version": VERSION})
    raise Problem("not_found", "There is POST /v1/events and POST /v1/events/batch.", status=404)


async def taken(request: Request, accept: Accept) -> Response:
    """What is not taken is counted under the reason its caller is told."""
    try:
        project = access().remembered(request.headers)
        if project and project.events_per_minute is None:
            # Only the stream is waited for, which has a time limit of its own; a second one is not cheap.
            return await accept(project, request)
        return await in_time(looked_up(request, accept))
    except Problem as problem:
        names.REFUSED.add(1, problem.code)
        raise
    except (Unavailable, asyncio.CancelledError):
        names.REFUSED.add(1, "unavailable")
        raise


async def looked_up(request: Request, accept: Accept) -> Response:
    return await accept(await access().project_of(request.headers), request)


async def in_time(work: Awaitable[Answer]) -> Answer:
    """Whatever is slow, and however much of it: the caller hears of it within five seconds."""
    try:
        async with asyncio.timeout(ANSWER_SECONDS):
            return await work
    except TimeoutError:
        raise Unavailable("The stream", f"no answer within {ANSWER_SECONDS} s") from None


async def one(project: Project, request: Request) -> Response:
    """One event: its id and the time it was received."""
    now, event = clocks.now(), decode_one(body_of(request), limits())
    fields = await allowances().admit(project, 1)
    [event_id] = await publish(project, [event], now)
    return accepted({"event_id": event_id, "received_at": now}, fields, {"event_id": event_id})


async def many(project: Project, request: Request) -> Response:
    """A batch: the good ones are taken, the bad ones listed by their place; 422 if none is good."""
    now, batch = clocks.now(), decode_many(body_of(request), limits())
    for one_of_them in batch.rejected:
        names.REFUSED.add(1, one_of_them.code)
    if not batch.events:
        rejected = msgspec.to_builtins(batch.rejected)
        code, detail = ("all_rejected", "No event of it is good.") if rejected else ("empty", "It holds no event.")
        raise Problem(code, f"This batch was refused. {detail}", more={"rejected": rejected})
    fields = await allowances().admit(project, len(batch.events))
    ids = await publish(project, batch.events, now)
    answer = {"accepted": len(ids), "event_ids": ids, "rejected": batch.rejected}
    return accepted(answer, fields, {"event_id": ids[0], "events": len(ids), "rejected": len(batch.rejected)})


async def publish(project: Project, events: list[Event], now: datetime) -> list[UUID]:
    """Seal them, wait until the stream has them all, and answer their ids; `events` is empty then.

    While the stream works, nothing but bytes waits: thousands of objects more would push each other out of the cache.
    """
    ids, items = sealed(project, events, now)
    events.clear()
    pending = stream.shared().publish(topics.RAW, items)
    del items
    await pending
    names.PUBLISHED.add(len(ids), topics.RAW)
    names.ACCEPTED.add(len(ids))
    return ids


def sealed(project: Project, events: list[Event], now: datetime) -> tuple[list[UUID], list[stream.Item]]:
    """The ids, and the records as they go on the stream, in the order of the events."""
    new_id = iter(new_ids(now, [event.event_id for event in events].count(UNSET))).__next__
    envelopes = [seal(event, project.org_id, project.id, now, new_id) for event in events]
    items: list[stream.Item] = [(key_of(envelope), encode(envelope)) for envelope in envelopes]
    return [envelope.event_id for envelope in envelopes], items


def body_of(request: Request) -> bytes:
    return inflated(request, settings.current().max_body_bytes)


def new_ids(now: datetime, count: int) -> list[UUID]:
    """From one draw of chance, counting up: so the ids of a batch are in the order of its events."""
    chance = int.from_bytes(os.urandom(10), "big") >> 6 & ROOM_TO_COUNT
    first = uuid7_number(int(now.timestamp() * 1000), chance)
    return msgspec.convert([f"{number:032x}" for number in range(first, first + count)], list[UUID])


def key_of(envelope: Envelope) -> bytes:
    code, route = envelope.attributes.get("error_code"), envelope.attributes.get("route")
    assert code is None or isinstance(code, str)  # the contract says so, the dict's type cannot
    assert route is None or isinstance(route, str)
    return stream_key(envelope.org_id, envelope.project_id, envelope.event_type, code, route)


def accepted(answer: object, fields: Headers, log: dict[str, object]) -> Response:
    return Response(202, msgspec.json.encode(answer), [JSON, *fields], log)


@cache
def limits() -> Limits:
    ours = settings.current()
    return Limits(ours.environments, ours.max_event_bytes, ours.max_batch_events)


@cache
def access() -> Access:
    return Access(projects_of, mark_used, monotonic)


@cache
def allowances() -> Allowances:
    return Allowances(take, monotonic)


@cache
def readiness() -> Readiness:
    return Readiness(lambda: stream.shared().ends(topics.RAW), monotonic)


# pg8000 costs a cold start 60 ms: it is loaded when Postgres must be asked, and not before.
def projects_of(digests: list[str]) -> Mapping[str, Project]:
    from functions.ingest import lookups

    return lookups.projects_of(digests)


def mark_used(digests: list[str]) -> None:
    from functions.ingest import lookups

    lookups.mark_used(digests)


def take(project_id: str, wanted: int) -> Taken:
    from functions.ingest import lookups

    return lookups.take(project_id, wanted)


ACCEPT = {"/v1/events": one, "/v1/events/batch": many}

asgi, gcp, aws, main = edge.http(handle)
