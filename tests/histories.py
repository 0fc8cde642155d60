"""Random histories of one series, played in random cuts and compared with the reference, field by field.

`python -m tests.histories --n 5000` plays as many as wanted; what differs is printed with its seed.
"""

import argparse
import sys
import time
from collections.abc import Callable, Iterator
from itertools import zip_longest
from random import Random
from typing import Any

from local.soak.reference import Reference
from tests.cases import Outcome, Step, steps_of
from tests.shelf import Shelf

Cut = Callable[[list[Step]], list[list[Step]]]
DIRECTED = (
    "E 293@0 30@62 15@65",  # a window that is full before the first event asks it
    "E 3@0 2@1..59 30@64",  # 121 in the hour: 30 are a quarter too few
    "E 90@10 1@60 1@10",  # a late event, among the representative ones too
    "E 30@10 resolve=12 4@40 1!@41 reopen=50",  # what came meanwhile is its own again
    "E 30@10 1@20 resolve=15",  # a person acts no earlier than the newest minute
    "E 290@12 resolve=12 1@17 80@16",  # the event after the opening one finds a worse window, that was a person's
    "E 2@0..200 3@201..260 400@262 1!@325 1@330 90@270",  # a late one takes in a critical event
    "S 4@0..99 1@113 1!@114 1@115..170/2 clock=180",  # a critical signup is no worse than another
    "S 4@0..99 clock=140 reopen=141 acknowledge=142 3@150 clock=2500 reopen=2600 1@2650 clock=2700",
)
ACTS = ("clock", "clock", "acknowledge", "acknowledge", "unacknowledge", "resolve", "reopen", "reopen")


def at_once(steps: list[Step]) -> list[list[Step]]:
    return [steps]


def one_by_one(steps: list[Step]) -> list[list[Step]]:
    return [[step] for step in steps]


def at_random(chance: Random) -> Cut:
    def cut(steps: list[Step]) -> list[list[Step]]:
        share = chance.choice((0.01, 0.1, 0.4))
        batches: list[list[Step]] = [[]]
        for step in steps:
            if batches[-1] and chance.random() < share:
                batches.append([])
            batches[-1].append(step)
        return batches

    return cut


def play(shelf: Shelf, steps: list[Step], cut: Cut) -> Shelf:
    """Events between two acts come in batches; an act is `shut` where its series letter says so."""
    waiting: list[Step] = []
    for step in [*steps, None]:
        if step and step.what == "event":
            waiting.append(step)
            continue
        for batch in cut(waiting) if waiting else ():
            shelf.send(batch)
        waiting = []
        if step:
            shelf.act(step, shut=step.series == "shut")
    return shelf


def refer(kind: str, steps: list[Step]) -> Reference:
    reference = Reference(kind)
    for step in steps:
        if step.what == "event":
            reference.event(step.minute, step.critical)
        elif step.what == "clock":
            reference.clock(step.minute)
        elif reference.newest is None:
            continue
        elif step.what in ("resolve", "reopen"):
            getattr(reference, step.what)(step.minute, None if step.series == "shut" else step.minute)
        else:
            getattr(reference, step.what)()
    reference.recount()
    return reference


def expected(reference: Reference) -> list[tuple[Outcome, int | None]]:
    return [(_outcome(there), there["last"]) for there in reference.incidents]


def _outcome(there: dict[str, Any]) -> Outcome:
    return Outcome(
        opened_at=there["opened"],
        last_seen_at=there["seen"],
        severity=there["severity"],
        status=there["status"],
        resolved_at=there["resolved"],
        by_person=there["person"] is not None,
        event_count=there["number"],
        observed=there["observed"],
        hour=there["hour"],
        peak=there["peak"],
        recurrence=there["recurs"],
    )


def seen(shelf: Shelf) -> list[tuple[Outcome, int | None]]:
    lasts = [incident.last_event_at for incident in shelf.incidents.values()]
    return list(zip(shelf.outcomes(), lasts, strict=True))


def log(shelf: Shelf) -> list[tuple[int, str, int | None]]:
    """The timeline as the reference keeps it: whose, what, in which minute."""
    kept = ("opened", "restored", "resolved", "reopened")
    return [(int(entry.incident[1:]), entry.what, entry.minute) for entry in shelf.timeline if entry.what in kept]


def differences(kind: str, steps: list[Step], chance: Random, **broken: Any) -> list[str]:
    """Each cutting against the reference, and every row of its tables against those of the first."""
    reference = refer(kind, steps)
    found: list[str] = []
    first: Shelf | None = None
    for name, cut in (("at once", at_once), ("one by one", one_by_one), ("at random", at_random(chance))):
        shelf = play(Shelf(kind, **broken), steps, cut)
        first = first or shelf
        pairs = {
            "incidents": (seen(shelf), expected(reference)),
            "timeline": (log(shelf), reference.log),
            "counts": (shelf.values, reference.counts),
            "jobs": (shelf.jobs, len(reference.incidents)),
            "events": ({(int(i[1:]), slot): there for (i, slot), there in shelf.events.items()}, reference.kept()),
            "judged": (shelf.judged if kind == "signup" else 0, reference.judged if kind == "signup" else 0),
            "rows of the timeline": (shelf.timeline, first.timeline),
            "incidents of two cuttings": (shelf.incidents, first.incidents),
            "the rest": ((shelf.newest, shelf.reached, shelf.refused), (first.newest, first.reached, first.refused)),
        }
        found += [f"{name}: {what}: {apart(one, two)}" for what, (one, two) in pairs.items() if one != two]
    return found


def apart(one: Any, two: Any) -> str:
    """Of two long lists the first place where they part."""
    if isinstance(one, list):
        rows = zip_longest(one, two)
        one, two = next((mine, theirs) for mine, theirs in rows if mine != theirs)
    return f"{one} != {two}"


def history(kind: str, chance: Random) -> list[Step]:
    """Bursts, flows, gaps, late events, looks of the clock and acts of people."""
    minute, newest = chance.choice((0, 1000, -700)), -(10**9)
    steps: list[Step] = []
    calm = chance.random() < 0.3
    for _ in range(chance.randint(1, 10)):
        minute += chance.choice((0, 1, 1, 2, 4, 5, 6, 14, 15, 30, 55, 60, 61, 64, 65, 66, 80, chance.randint(0, 200)))
        minute += chance.choice((0, 0, 0, 0, 0, 0, 0, 0, 1300, 1440, 5000))
        before = len(steps)
        steps += errors(minute, chance, calm=calm) if kind == "error" else signups(minute, chance)
        newest = max([newest, *(step.minute for step in steps[before:])])
        minute = newest if chance.random() < 0.8 else newest - chance.randint(0, 75)
        if chance.random() < 0.5:
            steps += acts(newest, chance)
    return steps


def errors(minute: int, chance: Random, *, calm: bool) -> Iterator[Step]:
    """A burst, or a flow from which a usual grows; late ones between them."""
    if chance.random() < (0.5 if calm else 0.2):
        each = chance.choice((1, 2, 3, 5))
        for passed in range(chance.choice((5, 30, 64))):
            yield from (Step("event", minute + passed) for _ in range(each))
        return
    critical = chance.random() < 0.15
    for _ in range(chance.randint(1, 3)):
        burst = chance.choice((1, 2, 5, 14, 15, 16, 29, 30, 30, 31, 31, 45, 75, 90, 270))
        at = minute + chance.choice((0, 0, 0, 1, 2, 4, 5, -3, -10, -59, -60, -61, -64))
        for number in range(burst):
            yield Step("event", at, critical and number % 7 == 3)
            if chance.random() < 0.02:
                yield Step("event", at + chance.choice((-1, 1, 3, 61, -60, -20)), chance.random() < 0.1)


def signups(minute: int, chance: Random) -> Iterator[Step]:
    """A flow whose silence is a drop, a trickle, a few late ones, a crowd in one minute."""
    kind = chance.random()
    if kind < 0.45:
        each, length = chance.choice((2, 3, 4, 8)), chance.choice((10, 20, 40, 55))
        for passed in range(length):
            yield from (Step("event", minute + passed) for _ in range(each))
        if chance.random() < 0.4:  # it dries up without ending: a warning
            stride = chance.choice((2, 3, 5))
            yield from (Step("event", minute + length + passed) for passed in range(0, 60, stride))
    elif kind < 0.65:
        stride = chance.choice((1, 2, 7, 15, 16))
        yield from (Step("event", minute + passed) for passed in range(0, stride * chance.randint(1, 12), stride))
    elif kind < 0.8:
        late = minute - chance.randint(1, 90)
        yield from (Step("event", late, chance.random() < 0.1) for _ in range(chance.choice((1, 10, 11, 60))))
    else:
        yield from (Step("event", minute) for _ in range(chance.choice((1, 5, 9, 10, 11, 159, 160, 161))))


def acts(newest: int, chance: Random) -> Iterator[Step]:
    at = newest + chance.choice((-3, 0, 0, 1, 3))
    for _ in range(chance.randint(1, 3)):
        at += chance.choice((0, 0, 1, 4, 14, 15, 16, 40, 59, 60, 61, 76))
        yield Step(chance.choice(ACTS), at, series="shut" if chance.random() < 0.2 else "")


def check(seed: int, **broken: Any) -> list[str]:
    chance = Random(seed)
    kind = "error" if seed % 2 else "signup"
    return differences(kind, history(kind, chance), chance, **broken)


def check_directed(**broken: Any) -> list[str]:
    given = [(line, *steps_of(line)) for line in DIRECTED]
    return [f"{line}: {one}" for line, kind, steps in given for one in differences(kind, steps, Random(1), **broken)]


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--n", type=int, default=1000)
    options.add_argument("--seed", type=int, default=0)
    chosen = options.parse_args()
    began, wrong = time.monotonic(), 0
    for seed in range(chosen.seed, chosen.seed + chosen.n):
        found = check(seed)
        wrong += bool(found)
        for line in found[:1]:
            print(f"seed {seed}: {line}")
    print(f"{chosen.n} histories, {wrong} differ, {time.monotonic() - began:.0f} s")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
