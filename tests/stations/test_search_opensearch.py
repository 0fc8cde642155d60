"""What only OpenSearch can do to us: another mapping, overload, a refused document, TLS and passwords."""

from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any, ClassVar
from uuid import uuid4

import httpx
import msgspec
import pytest

from common import settings
from common.clients.postgres.connection import Connection
from common.clients.search import Search, ask, mapping, opensearch, search_for
from common.clients.search.documents import Known
from common.clients.search.node import Node
from common.clients.search.opensearch import Document
from common.errors import Misconfigured, Unavailable
from local.servers import process
from migrations.prepare import prepare
from tests import certificates, servers
from tests.certificates import Certificates
from tests.stations.test_search_contract import sealed


def configured(url: str, **more: str) -> settings.OpenSearch:
    found = settings.read({"OPENSEARCH_URL": url} | more).opensearch
    assert found
    return found


def searching(url: str, **more: str) -> Search:
    return search_for(settings.read({"OPENSEARCH_URL": url} | more))


@pytest.fixture
def own_index(opensearch_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """An index of this test's own, under another name than everybody's."""
    name = f"test-{uuid4().hex}"
    monkeypatch.setattr(mapping, "INDEX", name)
    yield name
    httpx.delete(f"{opensearch_url}/{name}")
    httpx.delete(f"{opensearch_url}/_index_template/{name}")


def test_the_index_is_made_once_and_is_ours(opensearch_url: str, own_index: str) -> None:
    node = Node(configured(opensearch_url))
    assert (mapping.create(node), mapping.create(node)) == (True, False)


def test_the_flood_stage_of_a_full_disk_is_the_world_down_and_passes(
    opensearch_url: str, own_index: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the node does to an index when its disk is nearly full; it takes it back once there is room."""
    monkeypatch.setattr(opensearch, "INDEX", own_index)
    mapping.create(Node(configured(opensearch_url)))
    search, block = searching(opensearch_url), "index.blocks.read_only_allow_delete"
    httpx.put(f"{opensearch_url}/{own_index}/_settings", json={block: True}).raise_for_status()
    with pytest.raises(Unavailable, match="429"):
        search.index([sealed("acme")])
    httpx.put(f"{opensearch_url}/{own_index}/_settings", json={block: None}).raise_for_status()
    assert search.index([sealed("acme")]) == []
    search.close()


def test_the_index_lies_in_the_order_in_which_it_is_read(opensearch_url: str, own_index: str) -> None:
    """Events come oldest first: else each one would be among the newest so far, and all are looked at."""
    mapping.create(Node(configured(opensearch_url)))
    made = httpx.get(f"{opensearch_url}/{own_index}/_settings").json()[own_index]["settings"]["index"]
    assert made["sort"] == {"field": ["occurred_at"], "order": ["desc"]}


def test_migrations_make_the_index_and_refuse_another(conn: Connection, opensearch_url: str, own_index: str) -> None:
    configuration = settings.read({"OPENSEARCH_URL": opensearch_url})
    prepare(conn, configuration, datetime.now(UTC).date(), ahead=1)
    mapping.check(Node(configured(opensearch_url)))
    httpx.delete(f"{opensearch_url}/{own_index}").raise_for_status()
    httpx.put(f"{opensearch_url}/{own_index}", json=altered({"severity": {"type": "text"}})).raise_for_status()
    with pytest.raises(Misconfigured, match="severity"):
        prepare(conn, configuration, datetime.now(UTC).date(), ahead=1)


def test_every_attribute_the_mapping_names_is_sent_and_no_other() -> None:
    named = mapping.ours()["mappings"]["properties"]
    assert set(named["attributes"]["properties"]) == set(Known.__struct_fields__)
    assert set(named) == set(Document.__struct_fields__)


def test_without_an_index_nothing_is_written(opensearch_url: str, own_index: str) -> None:
    with pytest.raises(Misconfigured, match=r"migrations\.apply"):
        mapping.check(Node(configured(opensearch_url)))


def test_an_index_deleted_under_us_comes_back_with_our_mapping(opensearch_url: str, own_index: str) -> None:
    node = Node(configured(opensearch_url))
    mapping.create(node)
    httpx.delete(f"{opensearch_url}/{own_index}").raise_for_status()
    httpx.post(f"{opensearch_url}/{own_index}/_doc", json={"message": "the first"}).raise_for_status()
    mapping.check(node)


def altered(change: dict[str, Any]) -> dict[str, Any]:
    """Our mapping, but for one property."""
    wanted: dict[str, Any] = msgspec.json.decode(mapping.FILE.read_bytes())
    wanted["mappings"]["properties"] |= change
    return wanted


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"message": {"type": "text"}}, "mappings.properties.message.analyzer is missing, not text"),
        ({"event_type": {"type": "text"}}, "mappings.properties.event_type.type is text, not keyword"),
        ({"occurred_at": {"type": "long"}}, "mappings.properties.occurred_at.type is long, not date"),
    ],
)
def test_another_mapping_is_refused_with_the_reason(
    opensearch_url: str, own_index: str, change: dict[str, Any], said: str
) -> None:
    httpx.put(f"{opensearch_url}/{own_index}", json=altered(change)).raise_for_status()
    node = Node(configured(opensearch_url))
    for refuse in (mapping.check, mapping.create):
        with pytest.raises(Misconfigured, match=said):
            refuse(node)


def test_a_dynamic_index_is_refused(opensearch_url: str, own_index: str) -> None:
    httpx.post(f"{opensearch_url}/{own_index}/_doc", json={"message": "x"}).raise_for_status()
    with pytest.raises(Misconfigured, match=r"mappings\.dynamic is missing, not strict"):
        mapping.check(Node(configured(opensearch_url)))


def test_what_a_later_release_added_is_no_other_mapping(opensearch_url: str, own_index: str) -> None:
    httpx.put(f"{opensearch_url}/{own_index}", json=altered({"later": {"type": "keyword"}})).raise_for_status()
    mapping.check(Node(configured(opensearch_url)))


class Pretender(BaseHTTPRequestHandler):
    """Answers every bulk request as it is told, and the index as the real one would."""

    protocol_version = "HTTP/1.1"
    answers: ClassVar[list[tuple[int, bytes]]] = []
    asked: ClassVar[list[tuple[str, bytes]]] = []

    def do_GET(self) -> None:
        self._say(200, msgspec.json.encode({mapping.INDEX: mapping.ours()}))

    def do_POST(self) -> None:
        self.asked.append((self.path, self.rfile.read(int(self.headers["content-length"]))))
        self._say(*self.answers.pop(0))

    def _say(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Nothing to the terminal."""


@pytest.fixture
def pretender() -> Iterator[str]:
    """Overload cannot be had from a real node at will; everything else is tested on one."""
    Pretender.answers.clear()
    Pretender.asked.clear()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Pretender)
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


def items(*statuses: int) -> bytes:
    failed = [
        {"index": {"status": status, **({"error": {"type": "t", "reason": "r"}} if status > 299 else {})}}
        for status in statuses
    ]
    return msgspec.json.encode({"errors": True, "items": failed})


def test_a_refused_document_is_named_by_its_place_and_the_others_are_kept(pretender: str) -> None:
    Pretender.answers += [(200, b'{"errors":true}'), (200, items(201, 400, 200))]
    refused = searching(pretender).index([sealed("acme"), b"nonsense", sealed("acme"), sealed("acme")])
    assert [(one.index, one.code, one.detail) for one in refused][1:] == [(2, "not_indexable", "OpenSearch: t: r")]
    assert refused[0].index == 1
    (first, sent), (second, again) = Pretender.asked
    assert sent == again
    assert "errors" in first
    assert "status" in second


@pytest.mark.parametrize("status", [429, 503, 403, 500])
def test_one_overloaded_document_brings_the_whole_batch_again(pretender: str, status: int) -> None:
    Pretender.answers += [(200, b'{"errors":true}'), (200, items(201, 400, status))]
    with pytest.raises(Unavailable, match=str(status)):
        searching(pretender).index([sealed("acme")] * 3)


def test_what_passed_the_second_time_is_well(pretender: str) -> None:
    Pretender.answers += [(200, b'{"errors":true}'), (200, items(200, 200))]
    assert searching(pretender).index([sealed("acme")] * 2) == []


@pytest.mark.parametrize(
    ("status", "failure", "said"),
    [
        (429, Unavailable, "429"),
        (503, Unavailable, "503"),
        (502, Unavailable, "502"),
        (403, Unavailable, "403"),
        (401, Unavailable, "OPENSEARCH_PASS"),
        (413, Misconfigured, "bytes"),
        (404, Misconfigured, "migrations.apply"),
    ],
)
def test_an_answer_that_is_none(pretender: str, status: int, failure: type[Exception], said: str) -> None:
    Pretender.answers += [(status, b"<html>no</html>")]
    with pytest.raises(failure, match=said):
        searching(pretender).index([sealed("acme")])


def test_a_search_that_timed_out_is_not_half_an_answer(pretender: str) -> None:
    answers: list[Any] = [{"status": 200, "timed_out": late, "hits": {"hits": []}} for late in (False, True)]
    Pretender.answers += [(200, msgspec.json.encode({"responses": answers}))]
    with pytest.raises(Unavailable, match="Search"):
        searching(pretender).find(ask("acme"))


@pytest.mark.parametrize(
    ("status", "raised"), [(429, Unavailable), (503, Unavailable), (404, Misconfigured), (400, RuntimeError)]
)
def test_one_search_of_two_that_failed_is_no_answer(pretender: str, status: int, raised: type[Exception]) -> None:
    whole = {"status": 200, "timed_out": False, "hits": {"hits": []}}
    failed = {"status": status, "error": {"type": "t", "reason": "r"}}
    Pretender.answers += [(200, msgspec.json.encode({"responses": [whole, failed]}))]
    with pytest.raises(raised):
        searching(pretender).find(ask("acme"))


def test_a_document_with_a_real_mapping_error_is_refused_by_a_real_node(
    opensearch_url: str, own_index: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another mapping slips in after the check: then every document is refused by name, none is lost silently."""
    monkeypatch.setattr(opensearch, "INDEX", own_index)
    search = searching(opensearch_url)
    mapping.create(Node(configured(opensearch_url)))
    assert search.index([sealed("acme")]) == []
    httpx.delete(f"{opensearch_url}/{own_index}").raise_for_status()
    narrow = altered({"message": {"type": "integer"}})
    httpx.put(f"{opensearch_url}/{own_index}", json=narrow).raise_for_status()
    refused = search.index([sealed("acme"), sealed("acme", "5")])
    assert [(one.index, one.code) for one in refused] == [(0, "not_indexable")]
    assert "message" in refused[0].detail


NGINX = """
daemon off; master_process off; pid {home}/nginx.pid; error_log {home}/error.log;
events {{}}
http {{
  access_log off; client_body_temp_path {home}; proxy_temp_path {home}; fastcgi_temp_path {home};
  uwsgi_temp_path {home}; scgi_temp_path {home}; client_max_body_size 100m;
  server {{
    listen 127.0.0.1:{port} ssl;
    ssl_certificate {files.server_crt}; ssl_certificate_key {files.server_key};
    auth_basic "search"; auth_basic_user_file {home}/htpasswd;
    location / {{ proxy_pass {node}; proxy_set_header Authorization ""; }}
  }}
}}
"""
USER, PASSWORD = "signals", "pässword $1"


class Proxy(msgspec.Struct):
    port: int
    files: Certificates


@pytest.fixture(scope="module")
def proxy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxy]:
    """A real nginx with TLS and basic authentication before the real node; its certificate names localhost."""
    home = tmp_path_factory.mktemp("nginx")
    files, port, node = certificates.make(home), process.free_port(), servers.search_node().url
    (home / "htpasswd").write_text(f"{USER}:{{PLAIN}}{PASSWORD}\n")
    (home / "nginx.conf").write_text(NGINX.format(home=home, port=port, files=files, node=node))
    mapping.create(Node(configured(node)))
    started = process.start(
        "nginx",
        [process.program("nginx", "On Debian or Ubuntu: apt install nginx-light."), "-c", home / "nginx.conf"],
        home,
    )
    process.wait_until(lambda: process.listens(port), started, 10)
    yield Proxy(port, files)
    started.stop()


def ask_through(
    proxy: Proxy, ca: str, *, scheme: str = "https", host: str = "localhost", password: str = PASSWORD
) -> int:
    credentials = {"OPENSEARCH_USER": USER, "OPENSEARCH_PASS": password} if password else {}
    search = searching(f"{scheme}://{host}:{proxy.port}", OPENSEARCH_CA_CERT=ca, **credentials)
    search.check_mapping()
    assert search.index([sealed("acme-tls")]) == []
    return search.find(ask("acme-nobody")).total


def test_the_right_ca_by_path_and_by_text(proxy: Proxy) -> None:
    assert ask_through(proxy, str(proxy.files.ca)) == 0
    assert ask_through(proxy, proxy.files.ca.read_text()) == 0


def test_no_ca_a_strangers_and_the_wrong_host_are_refused_with_the_reason(proxy: Proxy) -> None:
    ours = str(proxy.files.ca)
    with pytest.raises(Unavailable, match="certificate verify failed"):
        ask_through(proxy, "")
    with pytest.raises(Unavailable, match="certificate verify failed"):
        ask_through(proxy, str(proxy.files.stranger))
    with pytest.raises(Unavailable, match="IP address mismatch"):
        ask_through(proxy, ours, host="127.0.0.1")


def test_an_unreadable_ca_is_an_error_and_not_a_warning(proxy: Proxy) -> None:
    with pytest.raises(Misconfigured, match="OPENSEARCH_CA_CERT"):
        ask_through(proxy, "/nowhere/ca.pem")


def test_a_wrong_password_and_none_are_refused_with_the_reason(proxy: Proxy) -> None:
    for password in ("wrong", ""):
        with pytest.raises(Unavailable, match=r"401.*OPENSEARCH_PASS"):
            ask_through(proxy, str(proxy.files.ca), password=password)


def test_plain_text_to_a_tls_port_and_tls_to_a_plain_one_are_refused_with_the_reason(
    proxy: Proxy, opensearch_url: str
) -> None:
    with pytest.raises(Unavailable, match="plain HTTP request was sent to HTTPS port"):
        ask_through(proxy, "", scheme="http")
    with pytest.raises(Unavailable, match=r"(?i)wrong.version.number|record layer"):
        searching(opensearch_url.replace("http", "https")).find(ask("acme"))


def test_a_node_that_is_not_there_is_unavailable_with_its_address() -> None:
    port = process.free_port()
    with pytest.raises(Unavailable, match=f"127.0.0.1:{port}.*refused"):
        searching(f"http://127.0.0.1:{port}").find(ask("acme"))
