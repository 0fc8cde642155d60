"""One contract for search, every case on OpenSearch, on Postgres, and on Postgres through a transaction pooler."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
import msgspec
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from msgspec import Struct

from common import settings
from common.clients.carried import MOST_BYTES
from common.clients.search import Found, Refusal, Search, ask, mapping, postgres, search_for
from common.clients.search.language import field
from common.clients.search.node import Node
from common.errors import Problem, Unavailable
from common.events.envelope import Envelope, encode
from tests import servers

T0 = datetime(2025, 1, 15, 10, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
ENGINES = ["opensearch", "postgres", "pooled"]


class Engine(Struct):
    search: Search
    settle: Callable[[], object]  # what was indexed can be found after this

    def index(self, *envelopes: bytes) -> list[Refusal]:
        refused = self.search.index(envelopes)
        self.settle()
        return refused


@pytest.fixture(scope="module")
def engines() -> Iterator[dict[str, Engine]]:
    """All three at once: some cases compare them."""
    url, node = servers.fresh_database(), servers.search_node().url
    where = {
        "postgres": {"DATABASE_URL": url},
        "pooled": {"DATABASE_URL": servers.pooled(url)},
    }
    started = {name: Engine(search_for(settings.read(environ)), lambda: None) for name, environ in where.items()}
    opensearch = settings.read({"OPENSEARCH_URL": node})
    assert opensearch.opensearch
    mapping.create(Node(opensearch.opensearch))
    refresh = f"{node}/{mapping.INDEX}/_refresh"
    started["opensearch"] = Engine(search_for(opensearch), lambda: httpx.post(refresh).raise_for_status())
    yield started
    for engine in started.values():
        engine.search.close()
    servers.drop_database(url)


@pytest.fixture(params=ENGINES)
def engine(request: pytest.FixtureRequest, engines: dict[str, Engine]) -> Engine:
    return engines[request.param]


@pytest.fixture
def org() -> str:
    """An organisation of this test's own: all share one index."""
    return f"org-{uuid4().hex}"


def sealed(org: str, message: str = "Upstream timed out", **given: Any) -> bytes:
    """An envelope as it is on the stream."""
    fields: dict[str, Any] = {
        "schema_version": "1.0",
        "event_id": uuid4(),
        "occurred_at": T0,
        "received_at": T0,
        "org_id": org,
        "project_id": "shop",
        "environment": "prod",
        "event_type": "error",
        "severity": "error",
        "message": message,
        "attributes": {},
        "payload": {},
        "minted": False,
        "clamped": None,
    }
    return encode(Envelope(**fields | given))


def messages(found: Found) -> list[str]:
    return [event["message"] for event in found.events]


CHECKOUT = {"route": "/api/checkout", "error_code": "UPSTREAM_TIMEOUT", "release": "v2.14.0", "status_code": 504}


@pytest.mark.parametrize(
    ("q", "matches"),
    [
        ("", True),
        ("payment", True),
        ("PAYMENT failed", True),
        ("payment missing", False),  # all words must occur
        ("checkout upstream v2", True),  # in message, route, error_code or release
        ("504", False),  # and nowhere else
        ("shop", False),
        ("pay", False),  # whole words
        ('"payment failed"', True),
        ('"failed payment"', False),
        ('"again api"', False),  # no phrase goes across two texts
        ('"upstream timeout"', True),
        ('"v2 14 0"', True),
        ("-payment", False),
        ("-missing", True),
        ('payment -"failed payment"', True),
        ('payment -"payment failed"', False),
        ("-payment-failed", False),
        ("severity:error", True),
        ("severity:warn", False),
        ("-severity:warn", True),
        ("event_type:error environment:prod", True),
        ("environment:dev", False),
        ('route:"/api/checkout"', True),
        ("route:/api/checkout", True),
        ("route:/api", False),  # exact
        ("route:/API/checkout", False),
        ("-route:/api/checkout", False),
        ("status_code:504", True),
        ("status_code:fast", False),
        ("plan:gold", True),  # an attribute we do not know by name
        ("plan:Gold", False),
        ("ratio:0.5", True),
        ("beta:true", True),
        ("beta:false", False),
        ("nothing:null", False),
        ("nothing:null OR", False),
        ('empty:""', True),
        ('plan:""', False),
        ('"a b=c":"d=e"', True),
        ('a:"b=c"', False),
        ("event_id:nonsense", False),
        ("-event_id:nonsense", True),
        ('"never closed', False),
        ("https://payment/failed", False),
    ],
)
def test_what_is_found(engine: Engine, org: str, q: str, matches: bool) -> None:
    more = {"plan": "gold", "ratio": 0.5, "beta": True, "nothing": None, "empty": "", "a b=c": "d=e", "a=b": "c"}
    engine.index(sealed(org, "Payment failed, again", attributes=CHECKOUT | more))
    assert engine.search.find(ask(org, q)).total == int(matches)


def test_an_event_comes_back_as_it_was_sent_with_the_places_of_the_words(engine: Engine, org: str) -> None:
    event_id = UUID("0193aa00-0000-7000-8000-00000000abcd")
    attributes = {**CHECKOUT, "a..b": 1, "n": 1.5, "a=\\b": None, "big": 2**63 - 1, "tiny": 5e-324}
    payload = {"deep": {"x": [1, {"y": None}]}, "a.b": "ü", "n": 1e308}
    clamped = T0 + timedelta(hours=1)
    engine.index(sealed(org, event_id=event_id, attributes=attributes, payload=payload, clamped=clamped))
    found = engine.search.find(ask(org, "timed checkout"))
    assert found.events == [
        {
            "event_id": str(event_id),
            "occurred_at": "2025-01-15T10:00:00Z",
            "received_at": "2025-01-15T10:00:00Z",
            "org_id": org,
            "project_id": "shop",
            "environment": "prod",
            "event_type": "error",
            "severity": "error",
            "message": "Upstream timed out",
            "attributes": attributes,
            "payload": payload,
            "minted": False,
            "clamped": "2025-01-15T11:00:00Z",
            "highlights": {"message": [(9, 14)], "route": [(5, 13)]},
        }
    ]
    assert (found.total, found.next) == (1, None)


def test_nobody_finds_another_organisations_events(engine: Engine, org: str) -> None:
    engine.index(sealed(org), sealed(f"{org}-other"))
    for q in ("", "upstream", "-nothing", f"org_id:{org}", "-org_id:x"):
        assert {event["org_id"] for event in engine.search.find(ask(f"{org}-other", q)).events} <= {f"{org}-other"}
    assert engine.search.find(ask(org, "")).total == 1
    assert engine.search.counts(ask(f"{org}-third")).event_type == {}


def test_single_parameters_and_filters_narrow(engine: Engine, org: str) -> None:
    engine.index(
        sealed(org, "one"),
        sealed(org, "two", project_id="blog"),
        sealed(org, "three", environment="dev", event_type="signup", severity="info"),
        sealed(org, "four", occurred_at=T0 + timedelta(minutes=5)),
    )
    find = engine.search.find
    assert messages(find(ask(org, project_id="blog"))) == ["two"]
    assert messages(find(ask(org, environment="dev"))) == ["three"]
    assert messages(find(ask(org, event_type="signup", severity="info"))) == ["three"]
    assert messages(find(ask(org, filters="env:dev,event_type:signup"))) == ["three"]
    assert messages(find(ask(org, since=T0 + timedelta(milliseconds=1)))) == ["four"]
    assert "four" not in messages(find(ask(org, until=T0 + timedelta(minutes=5))))  # the end is not in it
    assert messages(find(ask(org, since=T0 + timedelta(minutes=5)))) == ["four"]  # the beginning is
    assert find(ask(org, project_id="blog", environment="dev")).total == 0
    assert find(ask(org, project_id="nul\0", environment="\ud800")).total == 0


def test_newest_first_then_by_id_then_by_project(engine: Engine, org: str) -> None:
    low, high = UUID(int=1), UUID(int=2**127)
    engine.index(
        sealed(org, "old", occurred_at=T0 - timedelta(seconds=1)),
        sealed(org, "low a", event_id=low, project_id="a"),
        sealed(org, "low b", event_id=low, project_id="b"),
        sealed(org, "low -", event_id=low, project_id="a-"),
        sealed(org, "low _", event_id=low, project_id="a_"),
        sealed(org, "high", event_id=high),
        sealed(org, "new", occurred_at=T0 + timedelta(milliseconds=1)),
        # Both engines order by whole milliseconds: within one, the id decides.
        sealed(org, "microseconds later", event_id=UUID(int=0), occurred_at=T0 + timedelta(microseconds=999)),
    )
    ordered = ["new", "high", "low b", "low _", "low -", "low a", "microseconds later", "old"]
    assert messages(engine.search.find(ask(org))) == ordered
    assert messages(engine.search.find(ask(org), limit=3)) == ordered[:3]


def pages(engine: Engine, org: str, arrive: Callable[[], object]) -> list[str]:
    seen, cursor = [], None
    while True:
        found = engine.search.find(ask(org, "common"), limit=3, cursor=cursor)
        seen += messages(found)
        cursor = found.next
        if cursor is None:
            return seen
        arrive()


def test_pages_neither_skip_nor_repeat_while_events_arrive(engine: Engine, org: str) -> None:
    events = [sealed(org, f"common {n}", occurred_at=T0 - timedelta(seconds=n // 4)) for n in range(11)]
    engine.index(*events)

    def arrive() -> None:
        engine.index(sealed(org, "common late", occurred_at=T0 + timedelta(seconds=9)), *events[:5])

    seen = pages(engine, org, arrive)
    assert sorted(seen) == sorted(f"common {n}" for n in range(11))


def test_the_last_page_has_no_next(engine: Engine, org: str) -> None:
    engine.index(*(sealed(org, occurred_at=T0 - timedelta(days=700_000 if n == 2 else n)) for n in range(4)))
    first = engine.search.find(ask(org), limit=2)
    second = engine.search.find(ask(org), limit=2, cursor=first.next)
    assert (first.total, second.total, len(second.events), second.next) == (4, 4, 2, None)


def test_a_page_ends_where_an_answer_would_be_too_large(engine: Engine, org: str) -> None:
    """Not one event more than is carried is left out, and one that is larger than all that comes alone."""
    sizes = [MOST_BYTES // 2 - 2_000, 100, MOST_BYTES // 2 - 2_000, MOST_BYTES + 1, 100, 100]
    every = [
        sealed(org, f"big {n}", occurred_at=T0 - timedelta(seconds=n), payload={"x": "ä" * (size // 2)})
        for n, size in enumerate(sizes)
    ]
    engine.index(*every)
    seen: list[list[str]] = []
    cursor = None
    while not seen or cursor:
        found = engine.search.find(ask(org), limit=5, cursor=cursor)
        seen.append(messages(found))
        cursor = found.next
    assert seen == [["big 0", "big 1", "big 2"], ["big 3"], ["big 4", "big 5"]]


SOME_ID = "0193aa00-0000-7000-8000-00000000abcd"


@pytest.mark.parametrize(
    "cursor",
    ["", "x", "1~2~3", f"1~{SOME_ID}~", f"1~{SOME_ID}~\0", f"1~{SOME_ID}~\ud800", f"999999999999999~{SOME_ID}~shop"],
)
def test_a_cursor_of_nobodys_page_is_the_callers_mistake(engine: Engine, org: str, cursor: str) -> None:
    with pytest.raises(Problem) as refused:
        engine.search.find(ask(org), cursor=cursor)
    assert refused.value.field == "cursor"


def test_the_longest_question_is_answered(engine: Engine, org: str) -> None:
    many = " ".join(f"w{n}" for n in range(256))
    engine.index(sealed(org, many), sealed(org, "a " * 1000))
    assert engine.search.find(ask(org, many)).total == 1
    assert engine.search.find(ask(org, f'"{"a " * 255}"')).total == 1
    assert engine.search.find(ask(org, f'"{"a " * 1000}"')).total == 0  # a word keeps 255 places
    assert engine.search.find(ask(org, f'x:"{"y" * 2000}"')).total == 0


def test_a_total_is_exact_beyond_what_engines_count_by_default(engine: Engine, org: str) -> None:
    for _ in range(3):
        engine.search.index([sealed(org, "many") for _ in range(3_400)])
    engine.settle()
    assert engine.search.find(ask(org, "many"), limit=1).total == 10_200


def test_an_altered_event_replaces_the_one_that_had_its_id_in_its_project(engine: Engine, org: str) -> None:
    event_id = uuid4()
    engine.index(
        sealed(org, "first", event_id=event_id), sealed(org, "elsewhere", event_id=event_id, project_id="blog")
    )
    engine.index(sealed(org, "second", event_id=event_id, occurred_at=T0 + timedelta(days=1)))
    assert messages(engine.search.find(ask(org))) == ["second", "elsewhere"]
    assert engine.search.find(ask(org, "first")).total == 0


def test_of_one_batch_the_last_of_equal_ids_stays(engine: Engine, org: str) -> None:
    event_id = uuid4()
    refused = engine.index(*(sealed(org, f"version {n}", event_id=event_id) for n in range(3)))
    assert (refused, messages(engine.search.find(ask(org)))) == ([], ["version 2"])


def test_a_batch_that_comes_again_changes_nothing(engine: Engine, org: str) -> None:
    batch = [sealed(org, f"event {n}") for n in range(20)]
    engine.index(*batch)
    before = engine.search.find(ask(org))
    engine.index(*batch)
    assert engine.search.find(ask(org)) == before


def test_a_record_that_is_no_envelope_is_refused_and_the_batch_goes_on(engine: Engine, org: str) -> None:
    odd = sealed(org, attributes={"status_code": 999, "route": 5})  # by somebody who went round ingest
    refused = engine.index(b"not json", sealed(org, "good"), b"{}", b"\xff", sealed(org, "good"), odd)
    codes = [(one.index, one.code) for one in refused]
    assert codes == [(0, "malformed"), (2, "required"), (3, "malformed"), (5, "out_of_range")]
    assert engine.search.find(ask(org, "good")).total == 2


def test_an_empty_batch_is_nothing(engine: Engine) -> None:
    assert engine.search.index([]) == []


def nested(levels: int) -> Any:
    return {"x": [nested(levels - 2)]} if levels > 1 else {}


WEIRD: dict[str, dict[str, Any]] = {
    "a message of one endless word": {"message": "x" * 8192},
    "the same beyond ASCII": {"message": "𝒳" * 8192},
    "a message of 4096 words": {"message": "a " * 4096},
    "huge numbers": {"attributes": {"n": 1e308, "m": -(2**63), "duration_ms": 1e308, "tiny": 5e-324, "zero": -0.0}},
    "known names with other types": {
        "attributes": {"duration_ms": "fast", "service": 5, "host": True, "user_id": None}
    },
    "names with dots": {"attributes": {"a.b": 1, ".a": 2, "a.": 3, "a..b": 4, ".": 5, "route.x": 6, "route": "/r"}},
    "names of all kinds": {
        "attributes": {"=": 1, "\\": 2, "'": 3, '"': 4, " ": 5, "_value": 6, "*": 7, "\t": 8, "@org": 9}
    },
    "the longest attribute": {"attributes": {"𝒳" * 128: "𝒳" * 1024, "'" * 128: "\\" * 1024}},
    "the longest known ones": {"attributes": {"route": "𝒳" * 512, "error_code": "é" * 128, "release": "'" * 128}},
    "four hundred attributes": {"attributes": {f"name {n}": f"value {n}" for n in range(400)}},
    "a deep payload": {"payload": {"a": nested(30)}},
    "a payload that looks like ours": {"payload": {"a..b": 1, ".": {"": 2}, "org_id": {"x": 1}, "n": 1e308}},
    "the first year": {"occurred_at": datetime(1, 1, 1, tzinfo=UTC)},
    "the last year": {"occurred_at": datetime(9999, 12, 31, 23, 59, 59, 999999, tzinfo=UTC)},
    "quotes and backslashes": {"message": "it's \\ \"quoted\" $1 :name %s {} 'a':1B & | ! <->"},
    "control characters": {"message": "\x01\x1f\x7f\x85\u2028 \ufeff \ufffe \U0010ffff"},
}


@pytest.mark.parametrize("given", WEIRD.values(), ids=WEIRD.keys())
def test_whatever_an_event_may_hold_is_indexed(engine: Engine, org: str, given: dict[str, Any]) -> None:
    assert engine.index(sealed(org, **{"message": "weird"} | given)) == []
    [event] = engine.search.find(ask(org)).events
    assert event["attributes"] == given.get("attributes", {})
    assert event["payload"] == given.get("payload", {})
    assert event["message"] == given.get("message", "weird")
    for name, value in list(given.get("attributes", {}).items())[:10]:
        spelled = value if isinstance(value, str) else msgspec.json.encode(value).decode()
        if len(name) + len(spelled) < 1000:
            assert engine.search.find(ask(org, field(name, spelled))).total == int(value is not None), name


def test_a_word_is_found_by_its_first_255_characters(engine: Engine, org: str) -> None:
    engine.index(sealed(org, "𝒳" * 300))
    assert engine.search.find(ask(org, "𝒳" * 255)).total == 1
    assert engine.search.find(ask(org, "𝒳" * 400)).total == 1
    assert engine.search.find(ask(org, "𝒳" * 254)).total == 0


def test_a_phrase_is_found_among_a_words_first_255_places(engine: Engine, org: str) -> None:
    engine.index(sealed(org, "no " * 300 + "end"), sealed(org, "no " * 255 + "end"))
    assert engine.search.find(ask(org, '"no end"')).total == 1
    assert engine.search.find(ask(org, '"no no"')).total == 2


def test_counts_by_type_severity_and_route(engine: Engine, org: str) -> None:
    def event(n: int, route: str | None, event_type: str, severity: str) -> bytes:
        attributes = {} if route is None else {"route": route}
        return sealed(org, f"event {n}", attributes=attributes, event_type=event_type, severity=severity)

    engine.index(
        *(event(n, "/b", "error", "error") for n in range(3)),
        *(event(n, "/a", "error", "warn") for n in range(3)),
        event(0, "/Z", "http_request", "info"),
        event(0, "", "http_request", "info"),
        event(0, None, "signup", "info"),
    )
    counts = engine.search.counts(ask(org))
    assert list(counts.event_type.items()) == [("error", 6), ("http_request", 2), ("signup", 1)]
    assert list(counts.severity.items()) == [("error", 3), ("info", 3), ("warn", 3)]
    assert list(counts.route.items()) == [("/a", 3), ("/b", 3), ("", 1), ("/Z", 1)]
    assert engine.search.counts(ask(org, "route:/a -severity:error")).severity == {"warn": 3}


def test_counts_over_time_fall_into_equal_bars(engine: Engine, org: str) -> None:
    minutes = [0, 0.5, 0.999, 1, 3.99, 4, -0.01]
    engine.index(*(sealed(org, occurred_at=T0 + timedelta(minutes=minute)) for minute in minutes))
    question = ask(org, since=T0, until=T0 + timedelta(minutes=4))
    assert engine.search.over_time(question, 4) == [3, 1, 0, 1]
    assert engine.search.over_time(ask(org, since=datetime(1, 1, 1, tzinfo=UTC), until=T0), 3) == [0, 0, 1]


def test_the_most_frequent_routes_are_counted_over_time_in_one_question(engine: Engine, org: str) -> None:
    def event(minute: float, route: str | None) -> bytes:
        return sealed(org, attributes={"route": route} if route else {}, occurred_at=T0 + minute * MINUTE)

    engine.index(
        *(event(minute, "/b") for minute in (0, 0.5, 2, 2.9)),
        *(event(minute, "/Z") for minute in (1, 1.5)),
        *(event(minute, "/a") for minute in (0, 2)),
        *(event(minute, None) for minute in (0, 1, 2)),
        event(1, "/c"),
        event(3, "/c"),  # after it
        event(-1, "/c"),
    )
    question = ask(org, since=T0, until=T0 + 3 * MINUTE)
    found = engine.search.routes_over_time(question, 3, 3)
    assert list(found.items()) == [("/b", [2, 0, 2]), ("/Z", [0, 2, 0]), ("/a", [1, 0, 1])]
    assert engine.search.routes_over_time(ask(org, "nowhere", since=T0, until=T0 + 3 * MINUTE), 3, 3) == {}


def test_pruning_goes_by_arrival_and_takes_no_more_than_it_is_told(engine: Engine) -> None:
    org, long_ago = f"org-{uuid4().hex}", datetime(2001, 1, 1, tzinfo=UTC)
    engine.search.prune(long_ago)
    engine.index(
        *(sealed(org, f"old {n}", received_at=long_ago - timedelta(days=n)) for n in range(5)),
        sealed(org, "replayed", occurred_at=long_ago),  # history that arrived today lives its time
    )
    assert engine.search.prune(long_ago, limit=3) == 3
    assert engine.search.prune(long_ago, limit=3) == 1
    assert engine.search.prune(long_ago, limit=3) == 0
    assert messages(engine.search.find(ask(org))) == ["old 0", "replayed"]


# Letters of every kind, with the characters both engines and our own language give a meaning to.
ANYTHING = st.text(
    st.one_of(
        st.characters(codec="utf-8", exclude_characters="\0"),
        st.sampled_from("abAB12 _-:\"'\\=.&|!<>()*~@#/İıßẞΣσςǅée\u0301ﬁ①Ⅷ日本"),
    ),
    max_size=40,
)
NUMBERS = st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(2**63), 2**63 - 1)
ATTRIBUTES = st.dictionaries(ANYTHING.filter(bool), ANYTHING | st.booleans() | NUMBERS | st.none(), max_size=3)
ROUTES = st.dictionaries(st.sampled_from(["route", "error_code", "release"]), ANYTHING, max_size=2)
EVENTS = st.lists(st.tuples(ANYTHING.filter(lambda text: text.strip()), ATTRIBUTES, ROUTES), min_size=1, max_size=8)


@st.composite
def questions(draw: st.DrawFn) -> tuple[list[tuple[str, dict[str, Any], dict[str, Any]]], list[str]]:
    """Events, and queries that mostly speak of them: pieces of their texts, and their attributes by name."""
    events = draw(EVENTS)
    asked = [draw(ANYTHING)]
    for message, attributes, known in events[:4]:
        start, length = draw(st.integers(0, len(message))), draw(st.integers(1, 12))
        piece = message[start : start + length].upper() if draw(st.booleans()) else message[start : start + length]
        asked += [piece, f'"{piece}"', f"-{piece}", f'-"{piece}"']
        for name, value in {**attributes, **known}.items():
            spelled = value if isinstance(value, str) else msgspec.json.encode(value).decode()
            asked += [field(name, spelled), field(name, spelled, wanted=False), f"{name}:{spelled}"]
    return events, asked


@given(questions())
@hypothesis_settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_both_engines_find_the_same_whatever_is_written_and_asked(engines: dict[str, Engine], asked: Any) -> None:
    org, (events, queries) = f"org-{uuid4().hex}", asked
    batch = [sealed(org, message, attributes=attributes | known) for message, attributes, known in events]
    pair = [engines["opensearch"], engines["postgres"]]
    for engine in pair:
        assert engine.index(*batch) == []
    for q in queries:
        one, other = (engine.search.find(ask(org, q)) for engine in pair)
        assert one == other, q


def test_a_question_that_takes_too_long_is_given_up(
    engines: dict[str, Engine], org: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "'5s'" in postgres.SLOWEST
    monkeypatch.setattr(postgres, "SLOWEST", postgres.SLOWEST.replace("5s", "100ms"))
    for name in ("postgres", "pooled"):
        search: Any = engines[name].search
        with pytest.raises(Unavailable, match="Search"):
            search._ask("SELECT pg_sleep(20)")
        assert search.find(ask(org)).total == 0  # and the next one is answered
