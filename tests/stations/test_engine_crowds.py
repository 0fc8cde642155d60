"""Several engines, clocks and people at the same rows: nobody deadlocks, nothing is lost, nothing is counted twice."""

from concurrent.futures import ThreadPoolExecutor

from common import settings
from common.clients.ids import new_id
from common.clients.postgres.database import Database
from functions.incident_engine.engine import Engine
from tests.cases import Step
from tests.counting import Desk, Log
from tests.crowd import crowd


def test_engines_that_share_all_series_with_clocks_and_people_never_deadlock(database: settings.Postgres) -> None:
    """A deadlock would be raised as Unavailable, and end the test."""
    sent, [counted, activity, incidents, jobs], wrong = crowd(lambda: database, 25)
    assert counted == activity == sent
    assert incidents == jobs > 0
    assert wrong == 0


def test_a_consumer_that_lost_its_partition_and_does_not_know_it_counts_nothing_twice(
    database: settings.Postgres,
) -> None:
    desk = Desk(Database(1, lambda: database), Log(), "error")
    records = desk.records([Step("event", minute) for minute in range(20) for _ in range(10)])
    batches = [records[first : first + 20] for first in range(0, len(records), 20)]

    def consume(_: int) -> None:
        own = Database(1, lambda: database)
        engine = Engine(own, lambda: desk.log, new_id)
        for batch in batches:
            engine.handle(batch)
        own.close()

    with ThreadPoolExecutor(3) as pool:
        list(pool.map(consume, range(3)))
    assert desk.counts() == dict.fromkeys(range(20), 10)
    assert (desk.activity(), desk.jobs()) == (200, 1)
    desk.close()
