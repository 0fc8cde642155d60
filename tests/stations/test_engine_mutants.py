"""The proofs notice what is broken in the engine's statements: otherwise their silence would mean nothing."""

import pytest

from common import settings
from tests.directed import floor_differences, short_differences
from tests.engine_mutants import MUTANTS, Mutant, found

pytestmark = pytest.mark.many


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_a_fault_put_in_on_purpose_is_found(database: settings.Postgres, mutant: Mutant) -> None:
    assert found(mutant, lambda: database)


def test_a_floor_kept_from_louder_times_is_not_believed_too_long(database: settings.Postgres) -> None:
    assert floor_differences(lambda: database) == []


def test_short_histories_a_minute_a_batch(database: settings.Postgres) -> None:
    assert short_differences(lambda: database) == []
