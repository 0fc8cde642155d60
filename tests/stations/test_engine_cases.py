"""The sixty-six boundary cases through the whole engine, the clock jobs and people's actions, on a real Postgres.

A minute a batch they are taken in `test_engine_mutants.py`.
"""

from collections.abc import Iterator

import pytest

from common import settings
from common.clients.postgres.database import Database
from tests import servers
from tests.cases import Case, Step, cases
from tests.counting import Desk, Log
from tests.histories import at_once, play

EACH = [case for case in cases() if not any(step.series for step in case.steps)]


@pytest.fixture(scope="module")
def database() -> Iterator[Database]:
    url = servers.fresh_database()
    made = Database(1, lambda: settings.read({"DATABASE_URL": url}).database)
    yield made
    made.close()
    servers.drop_database(url)


def vouched(steps: list[Step]) -> list[Step]:
    """A person acts at a time before which all is complete: so the clock has looked just before."""
    return [one for step in steps for one in ([Step("clock", step.minute)] if step.what == "resolve" else []) + [step]]


@pytest.mark.parametrize("case", EACH, ids=lambda case: str(case.number))
def test_a_case_as_one_batch(database: Database, case: Case) -> None:
    desk = Desk(database, Log(str(case.number)), case.kind, f"case-{case.number}")
    play(desk, vouched(case.steps), at_once)  # type: ignore[arg-type]
    assert [outcome for outcome, _ in desk.outcomes()] == case.incidents


def test_series_do_not_add_up(database: Database) -> None:
    """Case 37, with two environments as well as two routes."""
    [case] = [case for case in cases() if case not in EACH]
    desk = Desk(database, Log("37"), case.kind, "case-37")
    desk.send(case.steps)
    desk.engine.handle(desk.records([Step("event", 10, series="a")] * 15, environment="staging"))
    assert case.incidents == []
    assert desk.outcomes() == []
    assert desk.rows("SELECT count(*) FROM series WHERE project_id = :project") == [[3]]
