"""What runs beside the loop: a request with records of one partition or several, or the burial of one record."""

import threading
import time
from collections.abc import Callable
from queue import SimpleQueue

from local.poller.lane import Lane
from local.poller.outcome import Outcome, Waits


class Job:
    """`parts` says how many from the front of each lane are in it; `outcome` holds when it comes out of the queue."""

    def __init__(self, parts: dict[Lane, int], work: Callable[[], Outcome], *, burial: bool = False) -> None:
        self.parts, self._work, self.burial = parts, work, burial
        self.started = time.monotonic()
        self.outcome: Outcome = Waits("a bug of the poller's: its traceback is in the log")

    def start(self, done: "SimpleQueue[Job]") -> None:
        for lane, count in self.parts.items():
            lane.begin(self, count)
        # A daemon: whoever must stop does not wait for a station that hangs.
        threading.Thread(target=self._run, args=(done,), name="request", daemon=True).start()

    def _run(self, done: "SimpleQueue[Job]") -> None:
        try:
            self.outcome = self._work()
        finally:
            done.put(self)
