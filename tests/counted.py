"""Random histories through the whole engine on a real Postgres, compared with the reference, field by field.

Two series of two projects, in two partitions, at the same time: in random cuts, redelivered, with callers that send
their ids again, with ids that other tenants use too, and with connections that die before a message, after it was
answered, and between. `python -m tests.counted --n 1000` plays as many as wanted.
"""

import argparse
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import count, pairwise
from random import Random
from typing import Any

from common import settings
from common.clients.ids import new_id
from common.clients.postgres.connection import Connection, Row
from common.clients.postgres.database import Database
from common.edge.records import Record
from common.errors import Unavailable
from common.events.envelope import encode
from common.incidents.clock import GRACE_MINUTES
from functions.incident_engine.engine import Engine
from local.sending.progress import Progress, bar, since
from local.soak.reference import Reference
from tests import histories, servers
from tests.cases import Step
from tests.counting import Desk, Log, envelope

CRASHES = 0.03  # of the messages, before or after
AGAIN = 0.1  # of the events, sent once more by their caller
REDELIVERED = 0.2  # of the batches
TRIES = 50

LONGEST = 600  # characters of what is printed


Where = Callable[[], settings.Postgres]


class Fragile(Connection):
    """Dies now and then: before the server hears a message, or before we hear its answer."""

    chance: Random | None = None

    def simple(self, text: str) -> list[Row]:
        fate = self.chance.random() if self.chance else 1.0
        if fate < CRASHES / 2:
            self.close()
            raise Unavailable("Postgres", "it died before it heard this")
        rows = super().simple(text)
        if fate < CRASHES:
            self.close()
            raise Unavailable("Postgres", "it died before it was heard")
        return rows


class Mortal(Database):
    """Lends connections that die by this chance."""

    def __init__(self, where: Where, chance: Random) -> None:
        super().__init__(1, where)
        self._chance = chance

    def _open(self) -> Connection:
        conn = Fragile(self._where())
        conn.chance = self._chance
        return conn


class Sender:
    """Brings the events of one desk to engines that die, are made anew, and get some records twice."""

    def __init__(self, desk: Desk, where: Where, chance: Random) -> None:
        self.desk, self._where, self._chance = desk, where, chance
        self._database = Mortal(where, chance)
        self._delivered: list[Record] = []
        self._made: list[tuple[int, Step]] = []
        self._revive()

    def run(self, steps: list[Step]) -> None:
        """Events in batches, people in between."""
        waiting: list[Step] = []
        for step in [*steps, None]:
            if step and step.what == "event":
                waiting.append(step)
                continue
            for batch in self.cut(waiting):
                self.deliver(batch)
            waiting = []
            if step:
                self.desk.act(step, shut=step.series == "shut")

    def cut(self, steps: list[Step]) -> Iterator[list[Record]]:
        """Records with what is sent again among them; most callers let ingest make the id."""
        share = self._chance.choice((0.002, 0.01, 0.2 if len(steps) < 50 else 0.01))
        batch: list[Record] = []
        for step in steps:
            if batch and self._chance.random() < share:
                yield batch
                batch = []
            batch += self._records(step)
        if batch:
            yield batch

    def deliver(self, records: list[Record]) -> None:
        """Until it is taken; and perhaps once more, with some of what came before."""
        again = self._chance.random() < REDELIVERED
        first = len(self._delivered) - self._chance.randint(0, 20) if again else len(self._delivered)
        self._delivered += records
        self._insist(self._delivered[max(first, 0) :])
        if self._chance.random() < REDELIVERED / 2:
            self._insist(records)

    def close(self) -> None:
        self._database.close()
        self.desk.close()

    def _insist(self, records: list[Record]) -> None:
        for _ in range(TRIES):
            try:
                assert self.engine.handle(records) == []
            except Unavailable:
                self._revive()
            else:
                return
        raise AssertionError("it never was available")

    def _revive(self) -> None:
        """A process that forgot everything."""
        if not hasattr(self, "engine") or self._chance.random() < 0.5:
            self.engine = Engine(self._database, lambda: self.desk.log, new_id)

    def _records(self, step: Step) -> list[Record]:
        own = self._chance.random() < 0.3
        records = self.desk.records([step], minted=not own)
        if own:
            self._made.append((self.desk.sent - 1, step))
        if self._made and self._chance.random() < AGAIN:
            number, made = self._chance.choice(self._made[-50:])
            value = encode(envelope(number, made, self.desk.kind, self.desk.project, minted=False, message="again"))
            records.append(self.desk.log.append(self.desk.partition, value))
        return records


numbers = count()


def differences(where: Where, seed: int) -> list[str]:
    """Both series of one history against their references. The clock looks at both, so they stop for it."""
    chance, number = Random(seed), next(numbers)
    log = Log(f"test:{number}")
    kinds = ("error", "signup") if seed % 3 else ("error", "error")
    desks = [Desk(Database(1, where), log, kind, f"h{number}-{part}", part) for part, kind in enumerate(kinds)]
    senders = [Sender(desk, where, Random(chance.random())) for desk in desks]
    clocks, chunks = _told(kinds, chance)
    for at in range(len(clocks) + 1):
        _together([(sender.run, parts[at]) for sender, parts in zip(senders, chunks, strict=True)])
        if at < len(clocks):
            desks[0].act(clocks[at])
    found = []
    for desk, parts in zip(desks, chunks, strict=True):
        steps = [step for at, part in enumerate(parts) for step in [*part, *clocks[at : at + 1]]]
        found += [f"{desk.kind}: {line}" for line in compared(desk, refer(desk.kind, steps))]
    park(desks[0])
    for sender in senders:
        sender.close()
    return found


def _told(kinds: tuple[str, ...], chance: Random) -> tuple[list[Step], list[list[list[Step]]]]:
    """What the first history has the clock do, and the steps of each between two looks of it."""
    first, *others = [histories.history(kind, chance) for kind in kinds]
    clocks = [step for step in first if step.what == "clock"]
    chunks: list[list[Step]] = [[]]
    for step in first:
        if step.what == "clock":
            chunks.append([])
        else:
            chunks[-1].append(step)
    return clocks, [chunks, *(_scattered(steps, len(chunks), chance) for steps in others)]


def _scattered(steps: list[Step], parts: int, chance: Random) -> list[list[Step]]:
    plain = [step for step in steps if step.what != "clock"]
    cuts = [0, *sorted(chance.randint(0, len(plain)) for _ in range(parts - 1)), len(plain)]
    return [plain[first:last] for first, last in pairwise(cuts)]


def _together(works: list[tuple[Callable[[list[Step]], None], list[Step]]]) -> None:
    """At the same time, in threads; what one of them raises is raised."""
    with ThreadPoolExecutor(len(works)) as pool:
        for done in [pool.submit(work, steps) for work, steps in works]:
            done.result()


def refer(kind: str, steps: list[Step]) -> Reference:
    reference = Reference(kind)
    for step in steps:
        if step.what == "event":
            reference.event(step.minute, step.critical)
        elif step.what == "clock":
            reference.clock(step.minute)
        elif not reference.incidents:
            continue
        elif step.what in ("resolve", "reopen"):
            complete = None if step.series == "shut" else step.minute - GRACE_MINUTES
            getattr(reference, step.what)(step.minute, complete)
        else:
            getattr(reference, step.what)()
    reference.recount()
    return reference


def compared(desk: Desk, reference: Reference) -> list[str]:
    pairs: dict[str, tuple[Any, Any]] = {
        "incidents": (desk.outcomes(), histories.expected(reference)),
        "timeline": (desk.log_of(), reference.log),
        "counts": (desk.counts(), reference.counts),
        "jobs": (desk.jobs(), len(reference.incidents)),
        "events": (desk.kept(), reference.kept()),
        "state": (desk.state(), _state(reference)),
        "activity": (desk.activity(), sum(reference.counts.values())),
    }
    return [f"{what}: {histories.apart(one, two)}" for what, (one, two) in pairs.items() if one != two]


def _state(reference: Reference) -> tuple[int | None, int | None]:
    """Beyond what could hold the clock need not go on judging."""
    if reference.newest is None:
        return None, None
    if reference.kind == "error":
        return reference.newest, None
    return reference.newest, min(reference.judged, reference.newest + 75)


def park(desk: Desk) -> None:
    """What is over is no candidate of a later history's clock."""
    desk.rows("UPDATE series SET newest_received = newest_occurred + interval '1 day'")
    desk.rows("UPDATE incidents SET status = 'resolved', resolved_at = last_seen_at WHERE status <> 'resolved'")


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--n", type=int, default=200)
    options.add_argument("--seed", type=int, default=0)
    chosen = options.parse_args()
    where = settings.read({"DATABASE_URL": servers.fresh_database()}).database
    began, played, wrong = time.monotonic(), 0, 0
    try:
        with Progress(lambda: f"{bar(played / chosen.n)} {played} histories, {wrong} differ, {since(began)}"):
            for seed in range(chosen.seed, chosen.seed + chosen.n):
                found = differences(lambda: where, seed)
                played, wrong = played + 1, wrong + bool(found)
                for line in found[:2]:
                    print(f"seed {seed}: {line[:LONGEST]}", flush=True)
    finally:
        servers.stop_all()
    print(f"{chosen.n} histories, {wrong} differ, {time.monotonic() - began:.0f} s")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
