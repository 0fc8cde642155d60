"""The cases and the histories notice what is broken: otherwise their silence would mean nothing."""

import pytest

from tests.mutants import MUTANTS, Mutant, finder


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_a_fault_put_in_on_purpose_is_found(mutant: Mutant) -> None:
    assert finder(mutant) is not None
