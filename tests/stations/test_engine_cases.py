"""The sixty-six boundary cases through the whole engine, the clock jobs and people's actions, on a real Postgres."""

from collections.abc import Iterator

import pytest

from common import settings
from common.clients.postgres.database import Database
from tests import servers
from tests.cases import Case, Step, cases
from tests.counting import Desk, Log
from tests.histories import Cut, at_once, one_by_one, play

EACH = [case for case in cases() if not any(step.series for step in case.steps)]
SHORT = 120  # events of the cases that are also taken one by one


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


@pytest.mark.parametrize("cut", [at_once, one_by_one])
@pytest.mark.parametrize("case", EACH, ids=lambda case: str(case.number))
def test_a_case(database: Database, case: Case, cut: Cut) -> None:
    if cut is one_by_one and len(case.steps) > SHORT:
        cut = halves
    desk = Desk(database, Log(f"{case.number}{cut.__name__}"), case.kind, f"case-{case.number}-{cut.__name__}")
    play(desk, vouched(case.steps), cut)  # type: ignore[arg-type]
    assert [outcome for outcome, _ in desk.outcomes()] == case.incidents


def halves(steps: list[Step]) -> list[list[Step]]:
    return [steps[: len(steps) // 3], steps[len(steps) // 3 :]]
