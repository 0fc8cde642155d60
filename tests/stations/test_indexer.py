"""The indexer as a real process on both search engines: what is found, what is buried, and when a batch comes again."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from uuid import uuid4

import httpx
import msgspec
import pytest

from common.clients.search import Search, ask, mapping, search_for
from common.clients.search.node import Node
from tests import servers
from tests.fed import TAKEN, Fed, record
from tests.stations.test_search_contract import sealed
from tests.stations.test_search_opensearch import Pretender, items

ENGINES = ("postgres", "opensearch")
TRAP = """
    CREATE FUNCTION trap() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF NEW.event->>'message' LIKE 'bad%' THEN RAISE 'no such thing' USING ERRCODE = '22023'; END IF;
        RETURN NEW;
    END $$;
    CREATE TRIGGER trap BEFORE INSERT ON events FOR EACH ROW EXECUTE FUNCTION trap();
"""


class Indexer(Fed):
    """With the search it writes to; each test has an organisation of its own in it."""

    def __init__(self, engine: str, home: Path) -> None:
        super().__init__(
            "indexer", home, {"OPENSEARCH_URL": servers.search_node().url} if engine == "opensearch" else {}
        )
        self.search: Search = search_for(self.settings)
        if self.settings.opensearch:
            mapping.create(Node(self.settings.opensearch))

    def found(self, org: str) -> list[str]:
        """The messages of what can be found, in alphabetical order."""
        if self.settings.opensearch:
            httpx.post(f"{self.settings.opensearch.url}/{mapping.INDEX}/_refresh").raise_for_status()
        return sorted(event["message"] for event in self.search.find(ask(org), limit=200).events)

    def close(self) -> None:
        self.search.close()
        super().close()


@pytest.fixture(scope="module", params=ENGINES)
def indexer(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Indexer]:
    made = Indexer(request.param, tmp_path_factory.mktemp("indexer"))
    yield made
    made.close()


@pytest.fixture
def org() -> str:
    return f"org-{uuid4().hex}"


def test_a_batch_of_several_partitions_is_searchable_when_it_is_answered(indexer: Indexer, org: str) -> None:
    records = [record(n, sealed(org, f"event {n:03}"), partition=n % 3) for n in range(100)]
    answer = indexer.post(records)
    assert (answer.status, answer.json()) == (200, TAKEN)
    assert indexer.found(org) == [f"event {n:03}" for n in range(100)]


def test_a_batch_that_comes_again_changes_nothing(indexer: Indexer, org: str) -> None:
    records = [record(n, sealed(org, f"event {n}")) for n in range(10)]
    assert [indexer.post(some).status for some in (records, records, records[5:])] == [200, 200, 200]
    assert indexer.found(org) == [f"event {n}" for n in range(10)]


def test_an_id_is_its_projects_own(indexer: Indexer, org: str) -> None:
    one = uuid4()
    first, altered, others = (
        sealed(org, message, event_id=one, project_id=project)
        for message, project in (("first", "shop"), ("altered", "shop"), ("others", "blog"))
    )
    indexer.post([record(0, first), record(1, altered), record(2, others)])
    assert indexer.found(org) == ["altered", "others"]


def test_records_that_are_no_envelopes_are_buried_with_the_code_and_the_rest_is_searchable(
    indexer: Indexer, org: str
) -> None:
    values = [b"not json", sealed(org, "good 1"), b"{}", None, b"\xff", sealed(org, "good 2"), b""]
    records = [record(40 + place, value, partition=7) for place, value in enumerate(values)]
    answer = indexer.post(records)
    assert (answer.status, answer.json()) == (200, TAKEN)
    assert indexer.found(org) == ["good 1", "good 2"]
    letters = indexer.letters(5)
    assert [(one.offset, one.reason.code) for one in letters] == [
        (40, "malformed"),
        (42, "required"),
        (43, "malformed"),
        (44, "malformed"),
        (46, "malformed"),
    ]
    assert {(one.station, one.topic, one.partition) for one in letters} == {("indexer", "signals.raw.v1", 7)}
    assert [one.value for one in letters] == [values[place] for place in (0, 2, 3, 4, 6)]
    assert all(one.reason.detail for one in letters)


def test_a_caller_without_the_internal_key_is_refused(indexer: Indexer, org: str) -> None:
    assert indexer.post([record(0, sealed(org))], key="").status == 401
    assert indexer.found(org) == []


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Callable[..., Fed]]:
    """A process of this test's own, because it will not work."""
    made: list[Fed] = []

    def make(**environ: str) -> Fed:
        made.append(Fed("indexer", tmp_path, environ))
        return made[-1]

    yield make
    for one in made:
        one.close()


def test_a_document_the_engine_refuses_is_buried_and_the_others_are_kept(own: Callable[..., Fed], org: str) -> None:
    indexer = own()
    indexer.conn.simple(TRAP)
    assert indexer.post([record(n, sealed(org, name)) for n, name in enumerate(["good", "bad", "fine"])]).status == 200
    [letter] = indexer.letters(1)
    assert (letter.offset, letter.reason.code) == (1, "not_indexable")
    assert "no such thing" in letter.reason.detail
    assert search_for(indexer.settings).find(ask(org)).total == 2


def test_without_the_engine_the_batch_comes_again_whole_and_nothing_is_buried(
    own: Callable[..., Fed], org: str
) -> None:
    indexer = own(OPENSEARCH_URL="http://127.0.0.1:1")
    answer = indexer.post([record(0, b"not json"), record(1, sealed(org))])
    assert (answer.status, answer.json()["code"]) == (503, "unavailable")
    assert int(answer.header("retry-after") or 0) > 0
    assert indexer.letters(0) == []


class Stranger(Pretender):
    """An index that somebody made by writing to it: what a node does by itself."""

    def do_GET(self) -> None:  # noqa: N802  the name http.server calls
        self._say(200, msgspec.json.encode({mapping.INDEX: {"mappings": {}, "settings": {}}}))


@contextmanager
def served(kind: type[Pretender]) -> Iterator[str]:
    Pretender.answers.clear()
    Pretender.asked.clear()
    server = ThreadingHTTPServer(("127.0.0.1", 0), kind)
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


def test_against_a_wrong_mapping_it_refuses_to_run_and_writes_and_buries_nothing(own: Callable[..., Fed]) -> None:
    with served(Stranger) as url:
        indexer = own(OPENSEARCH_URL=url)
        for _ in range(2):
            answer = indexer.post([record(0, b"not json"), record(1, sealed("acme"))])
            assert (answer.status, answer.json()["code"]) == (500, "misconfigured")
        assert any("has another mapping than this release" in str(line.get("error")) for line in indexer.host.lines())
        assert Pretender.asked == []
        assert indexer.letters(0) == []


def test_a_batch_is_one_request_and_overload_brings_it_again(own: Callable[..., Fed]) -> None:
    batch = [record(n, sealed("acme", f"event {n}")) for n in range(50)] + [record(50, b"not json")]
    with served(Pretender) as url:
        indexer = own(OPENSEARCH_URL=url)
        Pretender.answers += [(429, b"{}"), (200, b'{"errors":true}'), (200, items(*[201] * 49, 429))]
        assert [indexer.post(batch).status for _ in range(2)] == [503, 503]
        assert indexer.letters(0) == []
        Pretender.asked.clear()
        Pretender.answers += [(200, b'{"errors":false}')]
        assert indexer.post(batch).status == 200
        [(path, body)] = Pretender.asked
        assert path.startswith(f"/{mapping.INDEX}/_bulk")
        assert body.count(b"\n") == 100
        assert [letter.offset for letter in indexer.letters(1)] == [50]
