"""Every stream and clock entry point of every bundle, without and with a wrong key: 401, and no store is asked."""

import socket
import tempfile
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from common import topics
from local.bundles.declaration import CLOCK, JOB, named
from local.hosts.call import Host
from tests.packaged.conftest import KEY, PLATFORMS, Unpacked, each, end, start

GUARDED = each(*topics.TOPICS, CLOCK, JOB)


class Store:
    """Listens where a store would, and counts who comes."""

    def __init__(self) -> None:
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self.socket.getsockname()[1]}"
        self.callers = 0
        threading.Thread(target=self._count, daemon=True).start()

    def _count(self) -> None:
        while True:
            try:
                caller, _ = self.socket.accept()
            except OSError:
                return
            self.callers += 1
            caller.close()


@pytest.fixture(scope="module")
def store() -> Iterator[Store]:
    made = Store()
    yield made
    made.socket.close()


Doors = dict[tuple[str, str], Host]


@pytest.fixture(scope="module")
def doors(store: Store, unpacked: Unpacked) -> Iterator[Doors]:
    """All of them, started and stopped together."""
    stores = {
        "DATABASE_URL": f"postgresql://a:b@{store.address}/c",
        "KAFKA_BROKERS": store.address,
        "INTERNAL_KEY": KEY,
    }
    stores |= {
        "WORKERS": "1",
        "OPENSEARCH_URL": f"http://{store.address}",
        "S3_ENDPOINT_URL": f"http://{store.address}",
    }
    places = [(platform, name) for platform in PLATFORMS for name in GUARDED]
    with tempfile.TemporaryDirectory(prefix="signals-doors-") as home, ThreadPoolExecutor(4) as together:

        def opened(platform: str, name: str) -> Host:
            folder = Path(home) / f"{platform}-{name}"
            folder.mkdir()
            return start(platform, named(name), unpacked, folder, stores)

        found = dict(zip(places, together.map(opened, *zip(*places, strict=True)), strict=True))
        yield found
        list(together.map(end, found.values()))


@pytest.mark.parametrize("platform", PLATFORMS)
@pytest.mark.parametrize("name", GUARDED)
def test_without_the_key_nobody_gets_in_and_no_store_is_touched(
    doors: Doors, store: Store, name: str, platform: str
) -> None:
    answers = set()
    for key in ({}, {"x-internal-key": "wrong"}):
        headers = {"content-type": "application/json", **key}
        answer = doors[platform, name].request("POST", "/", headers, b'{"records":{}}')
        answers.add((answer.status, answer.body))
    assert len(answers) == 1
    assert answers.pop()[0] == 401
    assert store.callers == 0


@pytest.mark.parametrize("platform", PLATFORMS)
def test_with_the_key_the_same_store_is_asked(doors: Doors, store: Store, platform: str) -> None:
    """So that the tests above could fail."""
    before = store.callers
    answer = doors[platform, "sweep_jobs"].request("POST", "/", {"x-internal-key": KEY}, b"{}")
    assert (answer.status, store.callers > before) == (503, True)
