"""One run: a stack, senders, a schedule of what goes wrong, time to settle, and the judge."""

import shutil
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from common.errors import Unavailable
from local.soak import judge
from local.soak.deeds import Deeds
from local.soak.judge import Total
from local.soak.schedule import Fault
from local.soak.sender import Sender
from local.soak.stack import OwnStack, reachable_folder, settled

SENDERS = ("A", "B")
DRAIN_SECONDS, SHOW_SECONDS, LAST_SECONDS = 240, 60, 60


class Soak:
    """`differences` is what the judge found; the folder is kept if it found anything."""

    def __init__(
        self, stack: str, seed: int, length: float, schedule: list[Fault], tell: Callable[[str], None]
    ) -> None:
        self.name, self.seed, self.length, self.schedule = stack, seed, length, schedule
        self._tell = tell
        self.folder = reachable_folder(Path(tempfile.gettempdir()))
        self.stack = OwnStack(stack, self.folder, full=any(one.what == "full" for one in schedule))
        self.senders = [Sender(self.stack.ingest, name, seed) for name in SENDERS]
        self.deeds = Deeds(self.stack, schedule, tell)
        self.differences: list[str] = ["it did not come to its end"]
        self.lasted = self.drained_in = 0.0

    def run(self) -> None:
        self.stack.mount()
        self.stack.start()
        began = time.monotonic()
        for sender in self.senders:
            sender.start()
        self.deeds.run()
        time.sleep(max(0.0, began + self.length - time.monotonic()))
        self.lasted = time.monotonic() - began
        self._end()

    def _end(self) -> None:
        """What is being sent is sent to its end; then all that is under way comes to its end."""
        began = time.monotonic()
        for sender in self.senders:
            sender.over.set()
        for sender in self.senders:
            sender.join(LAST_SECONDS)
        if any(sender.is_alive() for sender in self.senders):
            self.differences = [f"ingest accepts nothing, {LAST_SECONDS} s after the last fault"]
            return
        left = settled(self.stack, DRAIN_SECONDS)
        self.drained_in = time.monotonic() - began
        self._tell(f"drained in {self.drained_in:.1f} s")
        self.differences = [left] if left else self.judged()

    def judged(self, seconds: float = SHOW_SECONDS) -> list[str]:
        """An index shows what it has a second later, so a difference has to last."""
        total, until = Total([sender.ledger for sender in self.senders]), time.monotonic() + seconds
        while True:
            try:
                found = judge.differences(self.stack, total)
            except Unavailable as error:
                found = [str(error)]
            if not found or time.monotonic() > until:
                return found
            time.sleep(1)

    def remove(self) -> None:
        self.stack.remove()
        if not self.differences:
            shutil.rmtree(self.folder)

    def report(self) -> dict[str, Any]:
        ledgers = [sender.ledger for sender in self.senders]
        total, answers = Total(ledgers), sum((one.answers for one in ledgers), Counter[str]())
        return {
            "stack": self.name,
            "seed": self.seed,
            "seconds": self.length,
            "lasted": round(self.lasted),  # with the time a stack took that was started with another clock
            "well": not self.differences,
            "differences": self.differences,
            "events": {
                "sent": sum(one.sent for one in ledgers),
                "accepted": len(total.errors) + len(total.feedback),
                "unanswered": total.unanswered,
            },
            "answers": dict(answers.most_common()),
            "slowest_refusal_seconds": round(max(one.slowest for one in ledgers), 1),
            "incidents": len(total.incidents()),
            "drained_in_seconds": round(self.drained_in, 1),
            "faults": [self._about(*one) for one in sorted(self.deeds.done, key=lambda one: one[1])],
            "schedule": [fault._asdict() for fault in self.schedule],
        }

    def _about(self, fault: Fault, began: float, ended: float) -> dict[str, Any]:
        """With the seconds from its end until ingest accepted again."""
        accepted = [at for sender in self.senders for at in sender.ledger.accepted_at if at > ended]
        again = round(min(accepted) - ended, 1) if accepted else None
        return {"what": str(fault), "lasted": round(ended - began, 1), "accepted_again_after": again}
