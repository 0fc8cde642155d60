"""Sends lines in their order, as fast as wanted: one thread reads and prepares, one brings batches to ingest."""

import threading
import time
from collections.abc import Iterable
from datetime import datetime, timedelta
from queue import Empty, Full, Queue
from typing import Any, NamedTuple

from local.replay.journal import Journal, Progressed
from local.replay.reading import Broken, Line, prepared
from local.sending.courier import Courier

AHEAD = 8  # batches that are ready before they are wanted
SLICE = 0.2


class Batch(NamedTuple):
    events: list[dict[str, Any]]
    lines: int  # settled once this is


class Pace:
    """At which moment a line is due; late events go with those they stand among. `speed` 0: at once."""

    def __init__(self, speed: float) -> None:
        self.speed = speed
        self._first: datetime | None = None
        self._started = 0.0
        self._newest = 0.0

    def due(self, occurred_at: datetime, now: float) -> float:
        if not self.speed:
            return now
        if self._first is None:
            self._first, self._started = occurred_at, now
        self._newest = max(self._newest, (occurred_at - self._first).total_seconds())
        return self._started + self._newest / self.speed


class Play:
    """One connection, one batch at a time: so each series arrives in the order of the file."""

    def __init__(self, courier: Courier, journal: Journal, pace: Pace, batch: int, *, keep_ids: bool) -> None:
        self.courier, self.journal, self.pace, self.batch, self.keep_ids = courier, journal, pace, batch, keep_ids
        self.at = Progressed("", 0)
        self._ready: Queue[Batch | None] = Queue(AHEAD)
        self._waiting: list[dict[str, Any]] = []

    def run(self, lines: Iterable[Line | Broken], begin: Progressed) -> bool:
        """From where it was interrupted; True if the end was reached."""
        self.at = begin
        thread = threading.Thread(target=self._bring, name="bring", daemon=True)
        thread.start()
        try:
            self._read(lines, begin)
        finally:
            self._put(None)
            thread.join()
            self.journal.keep(self.at, now=True)
        return not self.courier.stopping.is_set()

    def _read(self, lines: Iterable[Line | Broken], begin: Progressed) -> None:
        shift, number = timedelta(seconds=begin.shift_seconds), 0
        for number, line in enumerate(lines):
            if number < begin.lines or isinstance(line, Broken):
                continue
            due = self.pace.due(line.occurred_at, time.monotonic())
            while due > time.monotonic():
                self._flush(number)
                if self.courier.stopping.wait(min(SLICE, due - time.monotonic())):
                    return
            self._waiting.append(prepared(line, begin.run, shift, keep_ids=self.keep_ids))
            if len(self._waiting) >= self.batch and not self._flush(number + 1):
                return
        self._flush(number + 1)

    def _flush(self, lines: int) -> bool:
        """Hands over what waits; False if it was told to stop."""
        if self._waiting:
            batch, self._waiting = Batch(self._waiting, lines), []
            return self._put(batch)
        return not self.courier.stopping.is_set()

    def _put(self, batch: Batch | None) -> bool:
        while not self.courier.stopping.is_set():
            try:
                self._ready.put(batch, timeout=SLICE)
                return True
            except Full:
                continue
        return False

    def _bring(self) -> None:
        while not self.courier.stopping.is_set():
            try:
                batch = self._ready.get(timeout=SLICE)
            except Empty:
                continue
            if batch is None:
                return
            if self.courier.deliver(batch.events, time.monotonic()):
                self.at = self.at._replace(lines=batch.lines)
                self.journal.keep(self.at)
