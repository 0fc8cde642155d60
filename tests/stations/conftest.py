"""A core_api and a dashboard for all tests that need no other, and somebody who reads it."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from tests.burning import this_minute
from tests.dashboard import Dashboard, Reader
from tests.shop import Shop


@pytest.fixture(scope="session")
def mall(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    with Shop.running(tmp_path_factory.mktemp("shop")) as place:
        yield place


@pytest.fixture
def shop(mall: Shop) -> Shop:
    return mall.move_in()


@pytest.fixture(scope="session")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dashboard]:
    with Dashboard.running(tmp_path_factory.mktemp("dashboard")) as place:
        yield place


@pytest.fixture
def dashboard(place: Dashboard) -> Dashboard:
    place.move_in()
    return place


@pytest.fixture
def reader(dashboard: Dashboard) -> Reader:
    return dashboard.reader()


@pytest.fixture
def now() -> datetime:
    """This minute; a test that would not end within it begins in the next one."""
    while datetime.now(UTC).second >= 55:
        time.sleep(0.2)
    return this_minute()
