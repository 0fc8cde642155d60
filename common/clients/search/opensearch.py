"""Search in OpenSearch: one bulk request a batch, in bytes; the same words as Postgres has."""

import re
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import msgspec

from common import settings
from common.clients.search import Counts, Found, Refusal, documents, mapping
from common.clients.search.documents import Known, Sealed, attribute_name
from common.clients.search.language import Attribute, Field, Question, Term, Words
from common.clients.search.mapping import INDEX
from common.clients.search.node import WHAT, Node, failure, told
from common.errors import Misconfigured, Unavailable
from common.events.envelope import Attributes

SLOWEST = 5  # seconds a question may take
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
SORT = [{"occurred_at": "desc"}, {"event_id": "desc"}, {"project_id": "desc"}]
WHOLE = b'{"allow_partial_search_results":false}\n'  # before each search of several
# How a failed item is told; its place in the answer is its place in the batch.
FAILED = "items.*.status,items.*.error.type,items.*.error.reason,items.*.error.caused_by"


class Document(msgspec.Struct, gc=False):
    """One document of the index. `attributes` holds the known names only: others, such as `a..b`, have no mapping."""

    org_id: str
    project_id: str
    environment: str
    event_type: str
    severity: str
    event_id: str
    occurred_at: datetime
    received_at: datetime
    clamped: datetime | None
    minted: bool
    message: str
    words: str
    attributes: Known
    attributes_all: Attributes
    payload: dict[str, Any]


class _Error(msgspec.Struct):
    status: int
    error: Any = None


class _Item(msgspec.Struct):
    index: _Error


class _Done(msgspec.Struct):
    errors: bool = False
    items: list[_Item] = []


class _Total(msgspec.Struct, frozen=True):
    value: int


class _Hit(msgspec.Struct):
    source: dict[str, Any] = msgspec.field(name="_source")
    sort: tuple[int, str, str]


class _Hits(msgspec.Struct):
    total: _Total = _Total(0)
    hits: list[_Hit] = []


class _Bucket(msgspec.Struct):
    key: Any
    doc_count: int
    bars: "_Aggregation | None" = None  # of a route, over time


class _Aggregation(msgspec.Struct):
    buckets: list[_Bucket]


class _Answer(msgspec.Struct):
    status: int
    error: Any = None
    timed_out: bool = False
    hits: _Hits = msgspec.field(default_factory=_Hits)
    aggregations: dict[str, _Aggregation] = {}


class _Answers(msgspec.Struct):
    responses: list[_Answer]


_encoder = msgspec.json.Encoder()
_done = msgspec.json.Decoder(_Done)
_answers = msgspec.json.Decoder(_Answers)


class OpenSearch:
    """One index for all organisations; every question names its own."""

    def __init__(self, where: settings.OpenSearch) -> None:
        self._node = Node(where)
        self._checked = False

    def check_mapping(self) -> None:
        mapping.check(self._node)
        self._checked = True

    def index(self, envelopes: Sequence[bytes]) -> list[Refusal]:
        if not self._checked:  # once a process: a wrong mapping would bury every event, or worse, keep it
            self.check_mapping()
        refused: list[Refusal] = []
        places, body = _body(documents.read(envelopes, refused))
        if places:
            refused += self._bulk(places, body)
        return sorted(refused, key=lambda refusal: refusal.index)

    def find(self, question: Question, *, limit: int = 50, cursor: str | None = None) -> Found:
        """Counting apart from finding: what need not count ends at the page, since the index lies in its order."""
        asked: dict[str, Any] = {"size": limit + 1, "sort": SORT, "_source": {"excludes": ["words", "attributes"]}}
        if cursor is not None:
            asked["search_after"] = documents.read_cursor(cursor)
        [found, counted] = self._ask(question, asked, {"size": 0, "track_total_hits": True})
        hits = found.hits.hits
        rows = [(hit.sort, {**hit.source, "attributes": _named(hit.source["attributes_all"])}) for hit in hits]
        return documents.page(question, rows, counted.hits.total.value, limit)

    def counts(self, question: Question) -> Counts:
        fields = {"event_type": "event_type", "severity": "severity", "route": "attributes.route"}
        asked = {name: {"terms": {"field": field, "size": 20}} for name, field in fields.items()}
        [answer] = self._ask(question, {"size": 0, "aggs": asked})
        found = {name: [(one.key, one.doc_count) for one in answer.aggregations[name].buckets] for name in fields}
        return Counts(**{name: documents.ranked(counted, 20) for name, counted in found.items()})

    def over_time(self, question: Question, bars: int) -> list[int]:
        start, step = documents.step_of(question, bars)
        [answer] = self._ask(question, {"size": 0, "aggs": {"bars": _bars(start, step)}})
        counted = {(one.key - start) // step: one.doc_count for one in answer.aggregations["bars"].buckets}
        return [counted.get(bar, 0) for bar in range(bars)]

    def routes_over_time(self, question: Question, bars: int, most: int) -> dict[str, list[int]]:
        start, step = documents.step_of(question, bars)
        terms = {"field": "attributes.route", "size": most}
        asked = {"routes": {"terms": terms, "aggs": {"bars": _bars(start, step)}}}
        [answer] = self._ask(question, {"size": 0, "aggs": asked})
        rows = (
            (route.key, (one.key - start) // step, one.doc_count)
            for route in answer.aggregations["routes"].buckets
            if route.bars
            for one in route.bars.buckets
        )
        return documents.series_of(rows, bars)

    def prune(self, before: datetime, limit: int = 5000) -> int:
        old = {"query": {"range": {"received_at": {"lt": before.isoformat()}}}}
        path = f"/{INDEX}/_delete_by_query?max_docs={limit}&conflicts=proceed&refresh=true"
        answer = self._call("POST", path, _encoder.encode(old))
        return int(msgspec.json.decode(answer)["deleted"])

    def close(self) -> None:
        self._node.close()

    def _bulk(self, places: list[int], body: bytes) -> list[Refusal]:
        """The usual answer is filtered down to `errors: false`. That loses places, so after an error the same
        batch goes again, unfiltered; writing it twice changes nothing."""
        if not _done.decode(self._call("POST", f"/{INDEX}/_bulk?filter_path=errors", body)).errors:
            return []
        items = _done.decode(self._call("POST", f"/{INDEX}/_bulk?filter_path={FAILED}", body)).items
        failed = [(place, item.index) for place, item in zip(places, items, strict=True) if item.index.status >= 300]
        for _, one in failed:
            if one.status != 400:  # overload, a full disk, a lost shard: the world's, and it passes
                raise Unavailable(WHAT, f"{one.status}: {told(one.error)}")
        return [Refusal(place, "not_indexable", f"OpenSearch: {told(one.error)}") for place, one in failed]

    def _ask(self, question: Question, *asked: dict[str, Any]) -> list[_Answer]:
        """Each is a search of its own; they go together, in one request."""
        same = {"query": _query(question), "track_total_hits": False, "timeout": f"{SLOWEST}s"}
        body = b"".join(WHOLE + _encoder.encode(same | one) + b"\n" for one in asked)
        try:
            answers = _answers.decode(self._call("POST", f"/{INDEX}/_msearch", body, seconds=SLOWEST + 1)).responses
            for answer in answers:
                self._must_be_whole(answer)
        except Unavailable as error:
            raise Unavailable("Search", error.reason) from error
        return answers

    def _must_be_whole(self, answer: _Answer) -> None:
        if answer.status == 404:
            raise self._no_index()
        if answer.status >= 300:
            raise failure(answer.status, _encoder.encode({"error": answer.error}))
        if answer.timed_out:
            raise Unavailable("Search", f"it took longer than {SLOWEST} s")

    def _call(self, method: str, path: str, body: bytes, *, seconds: float = 30) -> bytes:
        answer = self._node.call(method, path, body, seconds=seconds)
        if answer is None:
            raise self._no_index()
        return answer

    def _no_index(self) -> Misconfigured:
        self._checked = False
        return Misconfigured(f"OpenSearch has no index {INDEX}: run `python -m migrations.apply`.")


def _body(read: Iterable[tuple[int, Sealed, Known]]) -> tuple[list[int], bytes]:
    """The lines of a bulk request, an action and its document each, and the places in the batch they came from."""
    places, body = [], bytearray()
    for place, sealed, known in read:
        places.append(place)
        body += b'{"index":{"_id":'
        _encoder.encode_into(f"{sealed.project_id}:{sealed.event_id}", body, -1)
        body += b"}}\n"
        _encoder.encode_into(_document(sealed, known), body, -1)
        body += b"\n"
    return places, bytes(body)


def _document(sealed: Sealed, known: Known) -> Document:
    return Document(
        sealed.org_id,
        sealed.project_id,
        sealed.environment,
        sealed.event_type,
        sealed.severity,
        sealed.event_id,
        sealed.occurred_at,
        sealed.received_at,
        sealed.clamped,
        sealed.minted,
        sealed.message,
        documents.words_of(sealed.message, known),
        known,
        _unambiguous(sealed.attributes),
        sealed.payload,
    )


def _unambiguous(attributes: Attributes) -> Attributes:
    names = "".join(attributes)
    if "=" not in names and "\\" not in names:
        return attributes
    return {attribute_name(name): value for name, value in attributes.items()}


def _named(attributes: Attributes) -> Attributes:
    """The attributes under the names they came with."""
    return {_ESCAPED.sub(r"\1", name): value for name, value in attributes.items()}


def _bars(start: int, step: int) -> dict[str, Any]:
    bar = {"field": "occurred_at", "fixed_interval": f"{step}ms", "offset": f"{start % step}ms", "min_doc_count": 1}
    return {"date_histogram": bar}


def _query(question: Question) -> dict[str, Any]:
    """Filters only: nothing is scored, the order is time."""
    wanted: list[dict[str, Any]] = [{"term": {"org_id": question.org_id}}]
    unwanted: list[dict[str, Any]] = []
    for term in question.terms:
        (wanted if term.wanted else unwanted).append(_clause(term))
    if question.since is not None:
        wanted.append({"range": {"occurred_at": {"gte": question.since, "format": "epoch_millis"}}})
    if question.until is not None:
        wanted.append({"range": {"occurred_at": {"lt": question.until, "format": "epoch_millis"}}})
    return {"bool": {"filter": wanted, "must_not": unwanted}}


def _clause(term: Term) -> dict[str, Any]:
    match term:
        case Words((word,)):
            return {"term": {"words": word}}
        case Words(words):
            return {"match_phrase": {"words": " ".join(words)}}
        case Attribute(name, value):
            return {"term": {f"attributes_all.{attribute_name(name)}": value}}
        case Field(name, value):
            return {"term": {name: value}}
