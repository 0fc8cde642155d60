"""Search: events by words, fields and time; where they lie in it; each opened to all it holds."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from math import ceil
from typing import Any, NamedTuple

import msgspec
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import Response

from common import settings
from common.clients.postgres import audit, projects
from common.clients.search import Found
from common.clients.search.documents import spelled
from common.errors import Problem, Unavailable
from functions.dashboard import stores
from functions.dashboard.elements import held
from functions.dashboard.question import (
    RANGES,
    SEVERITIES,
    TYPES,
    Asking,
    asking,
    term,
    with_term,
    written,
    written_out,
)
from functions.dashboard.reader import root_of
from functions.dashboard.serving import Asked, Page, Sent, redirect
from functions.dashboard.times import Clock
from functions.dashboard.words import cut, exact

ROWS, BARS, HEIGHT = 50, 60, 56
MESSAGE, PAYLOAD = 1_000, 2_000  # characters of them in a list; an event alone is shown whole
MOST_EVENTS, MOST_BYTES, AT_ONCE = 10_000, 5_000_000, 500  # of a download
COLUMNS = {"severity": "severity", "event_type": "type", "environment": "environment"}


class Row(NamedTuple):
    id: str
    at: datetime
    project: str
    severity: str
    type: str
    message: list[tuple[str, bool]]  # pieces of it, and whether they are what was asked for
    route: str
    release: str
    values: Markup
    payload: str
    payload_more: int  # characters left out


class Bar(NamedTuple):
    x: int
    height: int
    address: str
    span: str
    said: str  # how many events


def values(asked: Asked) -> Mapping[str, object]:
    """Search may be down, or the question wrong: the page says so in its place, and keeps what was typed."""
    reader, now = asked.reader, asked.reader.now
    known = [item["id"] for item in listed(asked)]
    shown: dict[str, Any] = {"projects": known, "environments": settings.current().environments, "wrong": ""}
    shown |= {"types": TYPES, "severities": SEVERITIES, "ranges": RANGES, "most": MOST_EVENTS, "down": False}
    shown |= {"rows": [], "bars": [], "total": 0, "searched": 0, "newer": 0, "older": "", "highest": 0}
    try:
        asks = asking(asked.query, reader)
        if asks.project and asks.project not in known:
            projects.must_have(asked.conn, reader.caller.org_id, asks.project)
            known.append(asks.project)
        return shown | {"asks": asks} | found(asked, asks)
    except Unavailable as error:
        if error.what == "Postgres":
            raise
        return shown | {"asks": asks, "down": True}
    except Problem as problem:
        if problem.status == 404:
            raise
        plain = asking({}, reader)._replace(q=asked.query.get("q", ""), at=now.isoformat())
        return shown | {"asks": plain, "wrong": problem.detail}


def listed(asked: Asked) -> list[dict[str, Any]]:
    page = projects.found(asked.conn, asked.reader.caller.org_id, 200, None)
    return [msgspec.json.decode(item) for item in page.items]


def found(asked: Asked, asks: Asking) -> dict[str, object]:
    org, search = asked.reader.caller.org_id, stores.search()
    question = asks.question(org)
    result = search.find(question, limit=ROWS, cursor=asked.query.get("cursor") or None)
    bars = search.over_time(question, BARS) if result.total else []
    newer = search.find(asks.newer(org, asked.reader.now), limit=1).total if asks.at else 0
    searched = result.total or search.find(asks.question(org, words=False), limit=1).total
    return {
        "rows": [row(event, alone=result.total == 1) for event in result.events],
        "total": result.total,
        "searched": searched,
        "newer": newer,
        "highest": max(bars, default=0),
        "bars": list(drawn(bars, asks, asked.reader.clock)),
        "older": older(result, asks),
    }


def older(result: Found, asks: Asking) -> str:
    """The next page ends where this search began to look, however long one reads this one."""
    if not result.next:
        return ""
    return asks.address(cursor=result.next, at="" if asks.between else written(asks.until))


def row(event: Mapping[str, Any], *, alone: bool) -> Row:
    attributes = event["attributes"]
    payload = msgspec.json.format(msgspec.json.encode(event["payload"])).decode() if event["payload"] else ""
    kept = len(payload) if alone else PAYLOAD
    message = event["message"] if alone else cut(event["message"], MESSAGE)
    return Row(
        id=event["event_id"],
        at=datetime.fromisoformat(event["occurred_at"]),
        project=event["project_id"],
        severity=event["severity"],
        type=event["event_type"],
        message=pieces(message, event["highlights"].get("message", ())),
        route=text_of(attributes.get("route")),
        release=text_of(attributes.get("release")),
        values=Markup("".join([*of_columns(event), *map(of_attribute, attributes, attributes.values())])),  # noqa: S704
        payload=payload[:kept],
        payload_more=max(0, len(payload) - kept),
    )


def of_columns(event: Mapping[str, Any]) -> Iterator[Markup]:
    for name, said in COLUMNS.items():
        yield held(said, event[name], term(name, event[name]), common=True)
    yield held("project", event["project_id"], "", common=True)
    yield held("event_id", event["event_id"], term("event_id", event["event_id"]), common=False)


def of_attribute(name: str, value: Any) -> Markup:
    text = "null" if value is None else spelled(value)
    return held(name, text, "" if value is None else term(name, text), common=True)


def text_of(value: Any) -> str:
    return "" if value is None else spelled(value)


def pieces(text: str, marks: Sequence[tuple[int, int]]) -> list[tuple[str, bool]]:
    """The text cut where the words of the question begin and end."""
    cuts, place = [], 0
    for start, end in marks:
        cuts += [(text[place:start], False), (text[start:end], True)]
        place = end
    return [(piece, marked) for piece, marked in [*cuts, (text[place:], False)] if piece]


def drawn(counts: Sequence[int], asks: Asking, clock: Clock) -> Iterator[Bar]:
    """One bar for each part of the time that has events; each leads into that part."""
    highest = max(counts, default=0)
    for place, (count, (since, until, address)) in enumerate(zip(counts, asks.parts(BARS), strict=False)):
        if count:
            yield Bar(place * 10, ceil(count / highest * HEIGHT), address, clock.stretch(since, until), exact(count))


async def narrow(request: Request) -> Response:
    """`only this` and `not this`: the question with one term more, as an address of its own."""
    query = {name: value for name, value in request.query_params.items() if name not in ("only", "not", "part")}
    for name, sign in (("only", ""), ("not", "-")):
        if said := request.query_params.get(name):
            query["q"] = with_term(query.get("q", ""), sign + said)
    return redirect(root_of(request), "/search" + written_out(query))


def download(sent: Sent) -> Response:
    """The newest events as NDJSON, at most 10,000 of them or 5 MB; who took them is written down."""
    reader, org = sent.reader, sent.reader.caller.org_id
    asks = asking(sent.form, reader)
    with stores.database.connection() as conn:
        projects.must_have(conn, org, asks.project or None)
    lines = exported(asks, org)
    taken = {"events": len(lines), "from": asks.since.isoformat(), "to": asks.until.isoformat(), "q": asks.q}
    with stores.database.connection() as conn, conn.transaction():
        audit.record(conn, org, reader.caller.name, "exported", "events", "search", **taken)
    headers = {"content-disposition": f'attachment; filename="events-{reader.now:%Y%m%d-%H%M%S}.ndjson"'}
    return Response(b"".join(lines), media_type="application/x-ndjson", headers=headers)


def exported(asks: Asking, org: str) -> list[bytes]:
    lines: list[bytes] = []
    cursor, size = None, 0
    while len(lines) < MOST_EVENTS:
        result = stores.search().find(asks.question(org), limit=AT_ONCE, cursor=cursor)
        for event in result.events:
            line = msgspec.json.encode({name: value for name, value in event.items() if name != "highlights"}) + b"\n"
            size += len(line)
            if size > MOST_BYTES:
                return lines
            lines.append(line)
        cursor = result.next
        if cursor is None:
            break
    return lines


page = Page("search.html", values)
