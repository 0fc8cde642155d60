"""Every parser of bytes from outside, on the kept corpus and on what a seed makes of it; `make fuzz` goes on."""

import sys
from itertools import islice
from random import Random

import pytest

from tests.fuzzing.__main__ import CORPUS, kept
from tests.fuzzing.mutation import mutated
from tests.fuzzing.targets import TARGETS

INPUTS = 1_500  # of each target; the same ones each time


@pytest.fixture(autouse=True)
def _quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOG_LEVEL", "error")


@pytest.mark.parametrize("name", TARGETS)
def test_what_comes_from_outside_is_read_or_refused(name: str) -> None:
    inputs = kept(name)
    assert inputs
    for data in [b"", *inputs, *islice(mutated(inputs, Random(name)), INPUTS)]:
        try:
            TARGETS[name](data)
        except Exception as error:
            raise AssertionError(f"{name} on {data!r}") from error


def test_the_corpus_is_small_and_nobody_elses() -> None:
    assert {path.name for path in CORPUS.iterdir()} == TARGETS.keys()
    assert sum(path.stat().st_size for path in CORPUS.rglob("*") if path.is_file()) < 200_000


def test_the_mutator_is_the_same_each_time_and_never_endless() -> None:
    one, other = (list(islice(mutated([b"abc", b"{}"], Random(7)), 200)) for _ in range(2))
    assert one == other
    assert len(set(one)) > 100
    assert max(map(sys.getsizeof, one)) < 30_000
