"""kill -9, a full disk, a slow network while events flow: each 202 is counted once and searchable, whatever happens."""

from collections.abc import Iterator
from contextlib import closing, suppress

import pytest

from common import settings
from common.clients.postgres.connection import Connection
from local.servers.process import Missing
from local.soak import schedule
from local.soak.disk import Disk
from local.soak.schedule import LOGS, Fault
from local.soak.soak import Soak
from tests import servers

WEATHER = [
    Fault(0.5, "slow", "postgres", 2.0, 50),
    Fault(1.0, "kill", "poller"),
    Fault(3.0, "full", LOGS, 3.0),
    Fault(4.0, "kill", "indexer"),
    Fault(7.0, "full", "postgres", 4.0, 1),
    Fault(8.0, "kill", "postgres"),
    Fault(9.0, "kill", "incident_engine"),
]


def test_whatever_is_killed_every_202_is_counted_once_and_searchable() -> None:
    faults = schedule.each_killed("native", 2)
    soak = Soak("native", 2, faults[-1].at + 2, faults, print)
    try:
        soak.run()
        assert soak.differences == []
    finally:
        soak.remove()


def may_mount() -> bool:
    """A container without the right to mount has no small disks, and no package gives it any: all else is tried."""
    disk = Disk(servers.home() / "mounted", unprivileged=False)
    with suppress(Missing):
        disk.mount()
        disk.unmount()
        return True
    return False


@pytest.fixture(scope="module")
def soaked() -> Iterator[Soak]:
    faults = WEATHER if may_mount() else [one for one in WEATHER if one.what != "full"]
    soak = Soak("embedded", 1, 12.0, faults, print)
    try:
        soak.run()
        yield soak
    finally:
        soak.remove()


def test_full_disks_and_kills_lose_and_double_nothing(soaked: Soak) -> None:
    assert soaked.differences == []
    told = soaked.report()
    if soaked.stack.disks:
        assert told["answers"]["503"] > 0
    assert told["events"]["accepted"] > 0
    assert told["incidents"] > 0


def test_the_judge_misses_what_was_accepted_and_is_not_there(soaked: Soak) -> None:
    errors = soaked.senders[0].ledger.errors
    errors["00000000-0000-4000-8000-000000000000"] = "A-0-1"
    found = soaked.judged(0)
    assert [line for line in found if "errors in search: 1 are missing" in line]
    assert [line for line in found if "errors were accepted" in line]
    errors.popitem()


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ("UPDATE activity SET value = value + 1 WHERE event_type = 'error'", "errors were accepted"),
        ("UPDATE buckets SET value = value - 1", "counts of the error codes"),
        ("DELETE FROM events WHERE event_type = 'feedback'", "feedbacks are not in search"),
        ("DELETE FROM events WHERE event_type = 'error'", "errors in search"),
        ("UPDATE incidents SET event_count = event_count + 1", "incidents"),
        ("UPDATE ai_jobs SET incident_id = NULL", "incidents"),
    ],
)
def test_the_judge_sees_what_is_lost_and_what_is_doubled(soaked: Soak, wrong: str, said: str) -> None:
    with closing(Connection(settings.read(soaked.stack.connections()).database)) as conn:
        conn.run(wrong)
    assert [line for line in soaked.judged(0) if said in line]
