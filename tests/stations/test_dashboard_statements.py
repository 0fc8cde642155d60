"""How much a page asks of the database: at most six statements, and for a poll that finds nothing new two."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from common import settings
from common.clients.postgres.connection import Connection
from functions.dashboard import reader, session, stores
from functions.dashboard.application import app
from tests import servers
from tests.dashboard import Dashboard

MOST = 6


class Counted:
    """The dashboard in this very process, so that what it asks can be counted."""

    def __init__(self, dashboard: Dashboard) -> None:
        self.dashboard, self.asked = dashboard, 0
        self.incident = dashboard.acme.incident()
        dashboard.acme.summary(self.incident)
        dashboard.acme.job(self.incident)
        dashboard.search.index([dashboard.acme.envelope() for _ in range(3)])
        self.cookie = dashboard.reader(role="admin").cookies["session"]

    def get(self, target: str, etag: str = "") -> tuple[int, dict[str, str]]:
        """The status and headers, with the statements it took in `asked`."""
        self.asked = 0
        return asyncio.run(self._get(target, etag))

    async def _get(self, target: str, etag: str) -> tuple[int, dict[str, str]]:
        path, _, query = target.partition("?")
        headers = [(b"cookie", f"{reader.COOKIE}={self.cookie}".encode()), (b"if-none-match", etag.encode())]
        sent: list[Any] = []

        async def receive() -> Any:
            return {"type": "http.request", "body": b"", "more_body": False}

        async def send(message: Any) -> None:
            sent.append(message)

        scope = {"type": "http", "method": "GET", "path": path, "query_string": query.encode(), "headers": headers}
        scope |= {"scheme": "http", "server": ("localhost", 80), "root_path": "", "http_version": "1.1"}
        await app(scope, receive, send)
        return sent[0]["status"], {name.decode(): value.decode() for name, value in sent[0]["headers"]}


@pytest.fixture
def counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Counted]:
    dashboard = Dashboard(tmp_path, servers.fresh_database()).move_in()
    monkeypatch.setenv("DATABASE_URL", dashboard.url)
    forget()
    counted = Counted(dashboard)  # type: ignore[arg-type]
    simple, take = Connection.simple, stores.database._take
    own: set[Connection] = set()

    def taking() -> Connection:
        conn = take()
        own.add(conn)
        return conn

    def counting(self: Connection, text: str) -> list[Any]:
        counted.asked += self in own  # the stream and search have connections of theirs, or are no Postgres at all
        return simple(self, text)

    monkeypatch.setattr(stores.database, "_take", taking)
    monkeypatch.setattr(Connection, "simple", counting)
    yield counted
    stores.stream().close()
    for database in (stores.database, stores._tokens, stores._search):
        database.close()
    forget()
    dashboard.close()
    servers.drop_database(dashboard.url)


def forget() -> None:
    """Other tests of this process have a database of their own."""
    for cached in (settings.current, stores.search, stores.stream):
        cached.cache_clear()
    stores._kept.clear()


def test_a_page_asks_at_most_six_times(counted: Counted) -> None:
    assert session.session(asyncio.run(stores.secret()), counted.cookie, _now()) is not None
    targets = ["/", "/incidents", "/incidents?status=all", f"/incidents/{counted.incident}"]
    targets += ["/search?q=timed&range=24h", "/search?q=absent", "/jobs", "/setup"]
    counted.get("/")  # opens the connections, signs in
    taken = {}
    for target in targets:
        assert counted.get(target)[0] == 200, target
        taken[target] = counted.asked
    assert max(taken.values()) <= MOST, taken


@pytest.mark.parametrize("target", ["/", "/incidents", "/jobs", "/setup"])
def test_a_poll_that_finds_nothing_new_asks_little_and_renders_nothing(counted: Counted, target: str) -> None:
    for _ in range(3):  # the minute may turn between two of them
        etag = counted.get(f"{target}?part=live")[1]["etag"]
        status, _headers = counted.get(f"{target}?part=live", etag)
        if status == 304:
            break
    assert status == 304
    assert counted.asked <= 3


def _now() -> Any:
    from common.edge import clocks

    return clocks.now()
