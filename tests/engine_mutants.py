"""Faults put into the engine's statements on purpose: each must be found by a proof that finds nothing without it.

`python -m tests.engine_mutants` says of each what found it.
"""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from types import ModuleType
from typing import Any, NamedTuple

from common import settings
from common.clients.postgres import counting, outcomes, progress, remembered, series, states
from common.clients.postgres.database import Database
from common.errors import Unavailable
from common.events.envelope import encode
from tests import servers
from tests.cases import Step
from tests.counted import Where, differences
from tests.counting import Desk, Log, envelope
from tests.crowd import crowd
from tests.directed import floor_differences, short_differences

HISTORIES = 12
_numbers = count()


def histories(where: Where) -> list[str]:
    """Until one differs."""
    return next(filter(None, (differences(where, seed) for seed in range(HISTORIES))), [])


def together(where: Where) -> list[str]:
    """In a database of its own, because it looks at whole tables."""
    sent, [counted, activity, incidents, jobs], wrong = crowd(where, 12)
    return [] if (counted, activity, jobs, wrong) == (sent, sent, incidents, 0) else ["the sums are wrong"]


def sent_after_a_week(where: Where) -> list[str]:
    number = next(_numbers)
    desk = Desk(Database(1, where), Log(f"week:{number}"), "error", f"week{number}")
    value = encode(envelope(1, Step("event", 10), "error", desk.project, minted=False))
    desk.engine.handle([desk.log.append(0, value)])
    desk.rows("CREATE TABLE last_week PARTITION OF remembered_ids FOR VALUES FROM ('2001-01-01') TO ('2001-01-08')")
    desk.rows("UPDATE remembered_ids SET week = '2001-01-01'")
    desk.engine.handle([desk.log.append(0, value)])
    counted = desk.counts()
    desk.close()
    return [] if counted == {10: 1} else [f"counted {counted}"]


class Mutant(NamedTuple):
    """A text, or what a function answers, says something else."""

    name: str
    module: ModuleType
    attribute: str
    says: str
    instead: str
    proof: Callable[[Where], list[str]] = short_differences


def _gate(name: str, says: str, instead: str, proof: Callable[[Where], list[str]] = short_differences) -> Mutant:
    return Mutant(name, states, "_GATED", says, instead, proof)


OWN = "least(coalesce(rows.common, 0), t.own)"
OLD = "r.week < '1900-01-01' AND r.week <"
MUTANTS = [
    _gate("thirty are not enough to look", "g.most >= 30", "g.most > 30"),
    _gate("the floor is believed too long", "t.z + 10", "t.z + 35", floor_differences),
    _gate("an incident's own usual is no bound", OWN, "coalesce(rows.common, 0)"),
    _gate("an incident has no day", "+ 1440", "- 1440"),
    _gate("the hour lacks minutes", "t.a - 64 ELSE", "t.a - 60 ELSE"),
    _gate("the hour before a drop lacks minutes", "s.judged - 74", "s.judged - 60"),
    _gate("a newly proven minute is not read for", "r.z > s.judged", "r.z > s.judged + 3"),
    Mutant("the clock lacks minutes", states, "_WHOLE", "s.judged - 74", "s.judged - 50"),
    Mutant("what came before a reopening is not read", states, "_WHOLE", ":reopening", "false AND :reopening"),
    Mutant("counts are not added", outcomes, "COUNT", "buckets.value + excluded.value", "excluded.value"),
    Mutant("a late event takes a later one's place", outcomes, "KEEP", "<= minute_of", "<= 1000 + minute_of"),
    Mutant("minutes are judged again", outcomes, "MOVE", "judged = j", "judged = coalesce(s.judged, j)"),
    Mutant(
        "the first incident stays the newest", outcomes, "MOVE", "incident = i,", "incident = coalesce(s.incident, i),"
    ),
    Mutant("activity is not added", counting, "COUNT", "a.value + excluded.value", "excluded.value"),
    Mutant("progress stands still", progress, "moving", "THEN x.next ELSE", "THEN x.seen ELSE", histories),
    Mutant("ids of the weeks before are forgotten", remembered, "remembering", "r.week <", OLD, sent_after_a_week),
    Mutant("series are locked in any order", series, "locking", "ORDER BY id", "ORDER BY random()", together),
    Mutant("series are not locked", series, "locking", "FOR NO KEY UPDATE", "", together),
]


@contextmanager
def broken(mutant: Mutant) -> Iterator[None]:
    before = getattr(mutant.module, mutant.attribute)
    setattr(mutant.module, mutant.attribute, _changed(mutant, before))
    try:
        yield
    finally:
        setattr(mutant.module, mutant.attribute, before)


def _changed(mutant: Mutant, before: Any) -> Any:
    if isinstance(before, str):
        assert mutant.says in before, f"{mutant.name}: the code no longer says {mutant.says!r}"
        return before.replace(mutant.says, mutant.instead)

    def changed(*given: Any) -> str:
        text = str(before(*given))
        assert mutant.says in text, f"{mutant.name}: the code no longer says {mutant.says!r}"
        return text.replace(mutant.says, mutant.instead)

    return changed


def found(mutant: Mutant, where: Where) -> bool:
    """By a difference, or because it breaks down."""
    with broken(mutant):
        try:
            return bool(mutant.proof(where))
        except Exception as error:
            return not isinstance(error, Unavailable) or "40P01" in str(error)


def main() -> int:
    missed = 0
    for mutant in MUTANTS:
        url = servers.fresh_database()
        where = settings.read({"DATABASE_URL": url}).database
        shows = found(mutant, lambda: where)  # noqa: B023 - called at once
        missed += not shows
        print(f"{'found' if shows else 'NOT FOUND':<12}{mutant.name}", flush=True)
    servers.stop_all()
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
