"""Sends a shop's events when they happen; those of the past at once, and in their order."""

import threading
import time
from datetime import UTC, datetime
from itertools import count
from typing import Any

from local.sending.courier import Courier
from local.sending.ids import id_of, new_run
from local.sending.progress import bar
from local.sending.tally import Tally
from local.sending.target import Target
from local.traffic.happenings import Happens, told
from local.traffic.shop import Event, Life, minute_of

BATCH = 500
TOGETHER = 1.0  # seconds of life that make a request


class Traffic:
    """One thread and one connection: so each series arrives in its order."""

    def __init__(self, life: Life, happens: Happens, to: Target, stopping: threading.Event) -> None:
        self.life, self.happens, self.stopping = life, happens, stopping
        self.tally, self.run_id = Tally(), new_run()
        # Life goes on whatever ingest does: what it missed is told when it is back.
        self.courier = Courier(to, self.tally, stopping, give_up=float("inf"))
        self.minute = self.began = self.begin = 0
        self.talk: list[str] = []
        self._waiting: list[Event] = []
        self._line = 0

    def run(self, begin: int) -> None:
        """From this minute (of the epoch) on, until told to stop."""
        self.begin, self.began = begin, int(time.time() // 60)
        self._live(begin)
        self._flush()

    def _live(self, begin: int) -> None:
        for self.minute in count(begin):
            happenings = self.happens(self.minute)
            if self.minute >= self.began:
                self.talk += [f"{clock(self.minute)}  {told(one)}" for one in happenings if one.first == self.minute]
            for event in minute_of(self.life, self.minute, happenings):
                self._send(event, self.minute * 60 + event.pop("second"))
                if self.stopping.is_set():
                    return

    def line(self) -> str:
        """How it goes, for whoever watches."""
        said = self.tally.told()
        if self.minute < self.began:
            share = (self.minute - self.begin) / (self.began - self.begin)
            return f"{bar(share)} the day before: {said.accepted} events"
        errors = "".join(f", {times} x {kind}" for kind, times in self.tally.errors.most_common(2))
        return f"{clock(self.minute)} {said.accepted} events{errors}; Ctrl-C ends it"

    def report(self) -> dict[str, Any]:
        counts = self.tally.told()
        return {
            "tool": "traffic",
            "run": self.run_id,
            "life": self.life._asdict(),
            "events": {name: getattr(counts, name) for name in ("sent", "accepted", "refused", "given_up")},
            "errors": dict(self.tally.errors.most_common()),
            "wrong_answers": self.tally.wrong,
        }

    def _send(self, event: Event, at: float) -> None:
        """What is due waits for company of a second, or of a batch."""
        while at > time.time() or len(self._waiting) >= BATCH:
            self._flush()
            if self.stopping.wait(max(TOGETHER, at - time.time()) if at > time.time() else 0):
                return
        stamp = datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        self._waiting.append(event | {"event_id": id_of(self.run_id, self._line), "occurred_at": stamp})
        self._line += 1

    def _flush(self) -> None:
        if self._waiting:
            self.courier.deliver(self._waiting, time.monotonic())
            self._waiting = []


def clock(minute: int) -> str:
    return f"{datetime.fromtimestamp(minute * 60, UTC):%H:%M}"
