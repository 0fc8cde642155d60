"""The broker is down for thirty seconds while events flow: what was accepted before and after is all there, once."""

import os
import threading
import time
from datetime import UTC, datetime, timedelta

from local.acceptance.check import Checks, equal, settled
from local.acceptance.system import System
from local.loadgen.events import Plan, batch_of
from local.sending.courier import Courier
from local.sending.ids import new_run
from local.sending.tally import Tally
from local.sending.target import Target

RATE, BATCH = 20, 5
BEFORE = AFTER = 2.0  # seconds in which events flow undisturbed
LONGEST = 180.0


def seconds() -> float:
    return float(os.environ.get("OUTAGE") or 30)


def outage(system: System) -> Checks:
    to = system.project("outage")
    flow = Flow(to, BEFORE + seconds() + AFTER)
    flow.start()
    time.sleep(BEFORE)
    with system.without(system.broker):
        time.sleep(seconds())
    flow.join(LONGEST)
    told = flow.tally.told()
    yield equal("events that were accepted in the end", flow.plan.lines, told.accepted)
    yield equal("the outage was felt: requests had to be repeated", True, told.retries > 0)
    seen = settled(lambda: system.found(to), flow.plan.lines, LONGEST)
    yield equal("events in search", flow.plan.lines, seen)
    yield equal("events that were counted", flow.plan.lines, settled(lambda: counted(system, to), flow.plan.lines))


def counted(system: System, to: Target) -> int:
    now = datetime.now(UTC)
    return sum(system.api.minutes(to.project, now - timedelta(hours=1), now + timedelta(minutes=1)))


class Flow(threading.Thread):
    """An application that goes on: it sends what it has, again until it is taken."""

    def __init__(self, to: Target, length: float) -> None:
        super().__init__(daemon=True)
        self.plan = Plan("normal", RATE, length, 1, BATCH, "prod", new_run(), datetime.now(UTC))
        self.tally = Tally()
        self._courier = Courier(to, self.tally, threading.Event(), give_up=LONGEST)

    def run(self) -> None:
        began = time.monotonic()
        for number in range(self.plan.batches):
            time.sleep(max(0.0, began + self.plan.due(number) - time.monotonic()))
            self._courier.deliver(batch_of(self.plan, number), time.monotonic())
