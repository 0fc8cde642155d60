"""What became of what was sent: counts, kinds of errors, how long it took. Many threads count, one tells."""

import math
import threading
from collections import Counter
from typing import NamedTuple

FINENESS = math.log(1.02)  # times are kept to two per cent
FEW = 5  # examples of wrong answers


class Told(NamedTuple):
    """The counts of one moment."""

    sent: int
    accepted: int
    refused: int
    unsent: int
    given_up: int
    requests: int
    retries: int


class Tally:
    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.errors: Counter[str] = Counter()
        self.wrong: list[str] = []
        self.last_sent = 0.0
        self._times: Counter[int] = Counter()
        self._longest = 0.0
        self._lock = threading.Lock()

    def add(self, **counts: int) -> None:
        with self._lock:
            self.counts.update(counts)

    def sent(self, events: int, at: float) -> None:
        with self._lock:
            self.counts["sent"] += events
            self.last_sent = max(self.last_sent, at)

    def answered(self, accepted: int, refused: int, seconds: float) -> None:
        with self._lock:
            self.counts.update(accepted=accepted, refused=refused)
            self._times[math.ceil(math.log(max(seconds, 1e-6)) / FINENESS)] += 1
            self._longest = max(self._longest, seconds)

    def error(self, kind: str, count: int = 1) -> None:
        with self._lock:
            self.errors[kind] += count

    def answered_wrongly(self, why: str) -> None:
        with self._lock:
            self.errors["wrong answer"] += 1
            self.wrong += [why] if len(self.wrong) < FEW else []

    def told(self) -> Told:
        with self._lock:
            return Told(*(self.counts[name] for name in Told._fields))

    def milliseconds(self) -> dict[str, float]:
        """From when a batch was due to its answer: what its sender would have seen, waiting for us included."""
        with self._lock:
            times, longest = sorted(self._times.items()), self._longest
        at = {share: min(longest, percentile(times, share / 100)) for share in (50, 95, 99)}
        found = {f"p{share}": round(1000 * seconds, 2) for share, seconds in at.items()}
        return found | {"max": round(1000 * longest, 2)}

    @property
    def well(self) -> bool:
        """Everything was sent, and every answer was right."""
        told = self.told()
        return not (self.wrong or told.refused or told.unsent or told.given_up)


def percentile(times: list[tuple[int, int]], share: float) -> float:
    """Seconds, from sorted slots and how many are in each."""
    wanted = share * sum(count for _, count in times)
    passed = 0
    for slot, count in times:
        passed += count
        if passed >= wanted:
            return math.exp(slot * FINENESS)
    return 0.0
