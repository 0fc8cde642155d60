"""Every parser that takes bytes from outside: what it may be given, and what must hold whatever that is.

A target returns, or raises what a caller is told about. Anything else is a finding.
"""

import json
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import msgspec

from common.clients.postgres import paging
from common.clients.search import documents, language
from common.clients.stream import dead, retried
from common.edge import aws, cloudevent, openwhisk
from common.edge.batches import Batches
from common.edge.keys import anyone
from common.edge.records import UNREADABLE, Record, Refused
from common.edge.ticks import Ticks
from common.edge.values import BODY_LIMIT, Request, Response, reply
from common.errors import Problem
from common.events.batch import decode_many
from common.events.counted import decode_counted
from common.events.envelope import Event, encode, seal
from common.events.limits import LIMITS
from common.events.reading import decode_envelope, decode_one
from common.summaries import answer
from functions.ai_worker.main import refusal
from functions.dashboard import session
from functions.dashboard.reader import local_path, notice_of, zone_named
from functions.incident_engine import events as engine_events
from functions.ingest.bodies import KINDS, inflated
from local.poller.outcome import outcome

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
TOPIC = "signals.raw.v1"
SECRET = b"a secret of the fuzzer's"
Target = Callable[[bytes], object]


def event(data: bytes) -> None:
    """What ingest takes, every station can read, and reads as the same."""
    with suppress(Problem):
        sealed_is_read_back(decode_one(data))


def many(data: bytes) -> None:
    """No more than may be, each place named once, and a good event is good alone too."""
    try:
        batch = decode_many(data)
    except Problem:
        return
    assert len(batch.events) + len(batch.rejected) <= LIMITS.batch_events
    places = [one.index for one in batch.rejected]
    assert places == sorted(set(places))
    for one in batch.events[:3]:
        sealed_is_read_back(one)


def sealed_is_read_back(one: Event) -> None:
    sealed = seal(one, "acme", "shop", NOW, lambda: UUID(int=7))
    written = encode(sealed)
    assert decode_envelope(written) == sealed
    assert decode_counted(written).message == sealed.message


def record(data: bytes) -> None:
    """A record of the stream, whoever wrote it: the quick reading takes nothing that the whole one would not."""
    one = Record(TOPIC, 0, 0, 0, value=data)
    found = engine_events.read([one])
    assert len(found.records) + len(found.refused) <= 1
    list(retried.for_station("indexer", [Record(TOPIC, 0, 0, 0, value=data)]))
    refusal(Record(TOPIC, 0, 0, 0, value=data))


def body(data: bytes) -> None:
    """Never larger than the limit, however small it came."""
    encoding = [*KINDS, "identity", ""][data[0] % (len(KINDS) + 2)] if data else ""
    with suppress(Problem):
        assert len(inflated(Request("POST", "/", "", {"content-encoding": encoding}, data[1:]), 4096)) <= 4096


def query(data: bytes) -> None:
    """Anything is a query; what `field` writes, `parse` reads."""
    text = data.decode("utf-8", "surrogatepass" if len(data) % 2 else "replace") if decodes(data) else repr(data)
    with suppress(Problem):
        terms = language.parse(text)
        for start, end in language.marks(terms, text):
            assert 0 <= start < end <= len(text)
    with suppress(Problem):
        language.ask("acme", text, text)
    language.searchable([text, text])
    if text and "\0" not in text and text.isprintable():
        [term] = language.parse(language.field("route", text[:200]))
        assert term == language.Attribute("route", text[:200])


def decodes(data: bytes) -> bool:
    try:
        data.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        return False
    return True


def cursor(data: bytes) -> None:
    text = data.decode("utf-8", "replace")
    for ids in (paging.UUID, paging.NUMBER, paging.LABEL):
        with suppress(Problem):
            paging.read(text, ids)
    with suppress(Problem):
        key = documents.read_cursor(text)
        assert documents.read_cursor(documents.write_cursor(key)) == key


def cookie(data: bytes) -> None:
    """Nobody else's cookie is ours; ours say what we wrote."""
    text = data.decode("latin-1")
    assert session.session(SECRET, text, NOW) is None
    assert session.unsign(SECRET, "notice", text) is None
    assert not session.form_holds(SECRET, "session", text)
    assert notice_of(SECRET, text) is None
    zone_named(text)
    assert local_path(text).startswith("/")
    if decodes(data):
        said = data.decode("utf-8", "replace")
        assert session.unsign(SECRET, "notice", session.sign(SECRET, "notice", said)) == said
        assert session.unsign(SECRET, "session", session.sign(SECRET, "notice", said)) is None


def letter(data: bytes) -> None:
    with suppress(*UNREADABLE):
        one = dead.read(data)
        assert dead.read(msgspec.json.encode(one)) == one


def poller_batch(data: bytes) -> None:
    """What is POSTed to a station, in each of the shapes it may have."""
    kinds = ("application/json", cloudevent.ONE, cloudevent.MANY)
    for kind in kinds:
        station(Request("POST", "/", "", {"content-type": kind}, data))
    headers = {"ce-specversion": "1.0", "ce-source": f"kafka#{TOPIC}", "ce-time": "2026-03-01T12:00:00Z"}
    first, _, rest = data.decode("latin-1").partition("\n")
    station(Request("POST", "/", "", headers | {"ce-id": first, "ce-key": rest[:50]}, data))


def station(request: Request) -> None:
    with suppress(Problem):
        answered = STATION.over_http(request)
        assert answered.status in (200, 204, 400, 422, 500), answered.status
        assert answered.log.get("code") in (None, "misconfigured", "bad_batch"), answered.log


def aws_event(data: bytes) -> None:
    """The platform's own frame, and in it whatever a caller may choose: path, query, headers, body."""
    path, text = parts(data)
    http = {
        "version": "2.0",
        "rawPath": "/" + path,
        "rawQueryString": path,
        "body": text,
        "isBase64Encoded": len(data) % 2,
    }
    http |= {"headers": {"x-one": path, "content-type": text[:40]}, "cookies": [path, text]}
    http |= {"requestContext": {"stage": ["$default", path][len(data) % 2], "http": {"method": "POST"}}}
    said = AWS(http, None)
    assert isinstance(said, dict)
    assert said["statusCode"] in (200, 400, 413), said
    records_of_aws(data)


def records_of_aws(data: bytes) -> None:
    try:
        found = json.loads(data)
    except (ValueError, RecursionError):
        return
    said = ""
    try:
        STATION.on_aws(found)
    except aws.Failed as failed:
        said = str(failed)
    assert not said or said.startswith(("Not a batch", "This function reads")), said
    TICKS.on_aws(found)


def openwhisk_event(data: bytes) -> None:
    path, text = parts(data)
    http = {"method": "POST", "path": path, "queryString": path, "headers": {"X-One": path}, "body": text}
    said = OPENWHISK({"http": http | {"isBase64Encoded": len(data) % 2}})
    assert said["statusCode"] in (200, 400, 413), said
    older = {"__ow_method": "post", "__ow_path": path, "__ow_headers": {"a": text}, "__ow_body": text}
    assert OPENWHISK(older)["statusCode"] == 200


def station_answer(data: bytes) -> None:
    """Of a station, or of whatever answers at its address."""
    for status in (200, 400, 500):
        outcome(status, data[:3].decode("latin-1"), data, TOPIC, {0: (5, 9)})


def model_answer(data: bytes) -> None:
    with suppress(answer.Flawed):
        answer.read(data.decode("utf-8", "replace"), "stop")


def parts(data: bytes) -> tuple[str, str]:
    """As platforms hand text on: surrogates may be in it."""
    text = data.decode("utf-8", "surrogateescape")
    return text[: len(text) // 3], text[len(text) // 3 :]


def echo(request: Request) -> Response:
    assert len(request.body) <= BODY_LIMIT
    return reply(200, len(request.body))


def take(given: list[Record]) -> list[Refused]:
    return [Refused(one, "fuzzed", "") for one in given if one.value is None]


def quiet(*_: Any) -> None:
    pass


STATION = Batches("fuzz", take, quiet, TOPIC)
TICKS = Ticks("fuzz", (lambda now: now.year,))
AWS = aws.entry("fuzz", echo, anyone, quiet, quiet)
OPENWHISK = openwhisk.entry("fuzz", echo, anyone, quiet, lambda _: Response(200))

TARGETS: dict[str, Target] = {
    one.__name__: one
    for one in (
        event, many, record, body, query, cursor, cookie, letter, poller_batch, aws_event, openwhisk_event,
        station_answer, model_answer,
    )
}  # fmt: skip
