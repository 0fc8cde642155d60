"""What goes wrong, and when: seed, length and stack alone decide, so that a run can be played again."""

from collections.abc import Iterator, Sequence
from random import Random
from typing import NamedTuple

STORES = {"embedded": ("postgres",), "native": ("postgres", "kafka", "opensearch")}
LOGS = "logs"
FUNCTIONS = ("ingest", "indexer", "incident_engine", "ai_worker", "poller")
KINDS = {
    "kill": "kill -9 of any part, at any time, whatever else is wrong",
    "freeze": "a part stands still (SIGSTOP) and goes on",
    "restart": "a store is told to stop, and is started again",
    "outage": "a store is killed and stays away",
    "full": "the disk under a store, or under the logs of the functions, is full",
    "slow": "every piece on the way to a store and back comes late",
    "clock": "the whole stack is stopped, and started with another clock",
}
SECONDS = {"freeze": (1, 15), "outage": (2, 15), "full": (6, 20), "slow": (4, 15)}
FLOODED = (35, 50)  # OpenSearch looks at its disk every thirty seconds
REST = (2, 6)  # seconds in which nothing but a kill goes wrong
BETWEEN_KILLS = (2, 10)
LATE = (10, 300)  # milliseconds each way
AHEAD = 5400  # seconds at most


class Fault(NamedTuple):
    at: float  # seconds after the beginning
    what: str
    part: str = ""
    seconds: float = 0.0
    amount: int = 0  # slow: milliseconds each way; clock: seconds ahead; full: whether the WAL is used up too

    def __str__(self) -> str:
        about = {"slow": f" by {self.amount} ms", "clock": f" {self.amount} s ahead"}.get(self.what, "")
        about += " to the last file of its WAL" if self.what == "full" and self.amount else ""
        lasting = f" for {self.seconds:.0f} s" if self.seconds else ""
        return f"{self.what} {self.part}".strip() + about + lasting


def faults(stack: str, seed: int, length: float, kinds: Sequence[str] = tuple(KINDS)) -> list[Fault]:
    """Kills among everything else, which comes one after the other; all is over at the end of `length` seconds."""
    chance = Random(f"{seed}/{stack}")  # noqa: S311  it decides what happens in a play
    lasting = [kind for kind in kinds if kind != "kill"]
    found = [*_lasting(stack, chance, length, lasting)] if lasting else []
    return sorted([*found, *_kills(stack, chance, length)] if "kill" in kinds else found)


def each_killed(stack: str, seed: int) -> list[Fault]:
    """Every part once, in any order."""
    parts = [*FUNCTIONS, *STORES[stack]]
    Random(seed).shuffle(parts)  # noqa: S311
    return [Fault(1.0 + 3 * place, "kill", part) for place, part in enumerate(parts)]


def _lasting(stack: str, chance: Random, length: float, kinds: Sequence[str]) -> Iterator[Fault]:
    stores = STORES[stack]
    afflicted = {"freeze": (*FUNCTIONS, *stores), "full": (*stores, LOGS)}
    parts = {kind: _deck(afflicted.get(kind, stores), chance) for kind in kinds}
    at = chance.uniform(1, 3)
    for kind in _deck(kinds, chance):
        part = "" if kind == "clock" else next(parts[kind])
        low, high = FLOODED if (kind, part) == ("full", "opensearch") else SECONDS.get(kind, (0, 0))
        seconds = chance.uniform(low, high)
        amounts = {"slow": chance.randint(*LATE), "clock": chance.randint(0, AHEAD)}
        amounts["full"] = chance.randint(0, 1) if part == "postgres" else 0
        if at + seconds > length:
            return
        yield Fault(round(at, 1), kind, part, round(seconds, 1), amounts.get(kind, 0))
        at += seconds + chance.uniform(*REST)


def _kills(stack: str, chance: Random, length: float) -> Iterator[Fault]:
    at = chance.uniform(*BETWEEN_KILLS)
    for part in _deck((*FUNCTIONS, *STORES[stack]), chance):
        if at > length:
            return
        yield Fault(round(at, 1), "kill", part)
        at += chance.uniform(*BETWEEN_KILLS)


def _deck(cards: Sequence[str], chance: Random) -> Iterator[str]:
    """Each once before any of them comes again."""
    while True:
        yield from chance.sample(cards, len(cards))
