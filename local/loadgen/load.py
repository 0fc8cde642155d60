"""Holds a rate whatever the server does: batches leave when they are due, or are counted as not sent."""

import threading
import time
from queue import SimpleQueue

from local.loadgen.events import Plan, batch_of
from local.sending.courier import Courier

PATIENCE_SECONDS = 1.0  # a due batch waits so long for a free connection
Due = tuple[int, float]


class Load:
    """`concurrency` threads, each with a connection; one more says when which batch is due."""

    def __init__(self, plan: Plan, courier: Courier, concurrency: int, patience: float = PATIENCE_SECONDS) -> None:
        self.plan, self.courier, self.patience = plan, courier, patience
        self.started = time.monotonic()
        self._due: SimpleQueue[Due | None] = SimpleQueue()
        self._threads = [threading.Thread(target=self._work, daemon=True) for _ in range(concurrency)]

    def run(self) -> None:
        """Until the time is over or it is told to stop; what is under way then is brought to its end."""
        for thread in self._threads:
            thread.start()
        self.started = time.monotonic()
        for number in range(self.plan.batches):
            due = self.started + self.plan.due(number)
            if self.courier.stopping.wait(max(0.0, due - time.monotonic())):
                break
            self._due.put((number, due))
        for _ in self._threads:
            self._due.put(None)
        for thread in self._threads:
            thread.join()

    def _work(self) -> None:
        while given := self._due.get():
            number, due = given
            if self.courier.stopping.is_set():
                continue
            if time.monotonic() - due > self.patience:
                self.courier.tally.add(unsent=self.size(number))
                continue
            events = batch_of(self.plan, number)
            self.courier.deliver(events, due)

    def size(self, number: int) -> int:
        return min(self.plan.batch, self.plan.lines - number * self.plan.batch)
