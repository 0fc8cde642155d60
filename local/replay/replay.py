"""One replay from its first reading to its report: what is refused, where it begins, and how often it is played."""

import threading
import time
from collections.abc import Mapping
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from local.replay.consent import KNOWING, refuse_twice
from local.replay.journal import Journal, Progressed
from local.replay.play import Pace, Play
from local.replay.reading import Facts, facts, read
from local.replay.sources import about, sources
from local.sending import ids
from local.sending.courier import Courier
from local.sending.progress import bar
from local.sending.tally import Tally
from local.sending.target import Api, Unusable, target

BATCH = 500
SHOWN = 5  # broken lines that are named
MINUTE = timedelta(minutes=1)


class Wanted(NamedTuple):
    """As the command line says it; `speed` 0 is at once."""

    sources: list[str]
    speed: float = 0.0
    shift: bool = False
    loop: bool = False
    resume: bool = False
    broken: str = "stop"
    keep_ids: bool = False
    batch: int = BATCH
    project: str = ""
    knowing: bool = False


class Replay:
    def __init__(self, wanted: Wanted, environ: Mapping[str, str], stopping: threading.Event) -> None:
        refuse_nonsense(wanted)
        self.wanted, self.environ, self.stopping = wanted, environ, stopping
        self.sources = sources(wanted.sources, environ)
        self.facts = facts(self.sources, datetime.now(UTC))
        refuse_broken(self.facts, wanted.broken)
        to = target(environ, wanted.project)
        self.journal = Journal(wanted.sources, to.url, wanted.project)
        self.tally = Tally()
        self.courier = Courier(to, self.tally, stopping, give_up=float("inf"))
        self.begun = Progressed("", 0)
        self.rounds = 0
        self.seconds = 0.0
        self._play: Play | None = None

    def run(self) -> None:
        """Once, or until told to stop."""
        begin = self._resumed() if self.wanted.resume else self._anew()
        while self._round(begin) and self.wanted.loop and self._past(begin):
            begin = self._beginning()
        self.courier.close()

    def line(self) -> str:
        """How it goes, for whoever watches."""
        told, at = self.tally.told(), self._play.at if self._play else self.begun
        done = f"{bar(at.lines / self.lines)} {at.lines} of {self.lines} lines, {told.accepted} accepted"
        errors = "".join(f", {times} x {kind}" for kind, times in self.tally.errors.most_common(2))
        return f"{done}, {told.refused} refused{errors}"

    @property
    def lines(self) -> int:
        return max(1, self.facts.events + len(self.facts.broken))

    @property
    def well(self) -> bool:
        return self.tally.well and not self.courier.hopeless

    def report(self) -> dict[str, Any]:
        told, at = self.tally.told(), self._play.at if self._play else self.begun
        shift = timedelta(seconds=at.shift_seconds)
        return {
            "tool": "replay",
            "wanted": self.wanted._asdict(),
            "run": at.run,
            "began_at_line": self.begun.lines,
            "ended_at_line": at.lines,
            "lines": self.lines,
            "rounds": self.rounds,
            "span": [(self.facts.first + shift).isoformat(), (self.facts.last + shift).isoformat()],
            "broken": [str(one) for one in self.facts.broken[:SHOWN]],
            "broken_lines": len(self.facts.broken),
            "seconds": round(self.seconds, 3),
            "events_per_second": round(told.sent / max(self.seconds, 0.001), 1),
            "events": {name: getattr(told, name) for name in ("sent", "accepted", "refused", "given_up")},
            "requests": told.requests,
            "retries": told.retries,
            "milliseconds": self.tally.milliseconds(),
            "errors": dict(self.tally.errors.most_common()),
            "wrong_answers": self.tally.wrong,
            "well": self.well,
        }

    def closing(self, *, interrupted: bool) -> str:
        """One sentence for people."""
        told = self.tally.told()
        if self.courier.hopeless:
            return f"replay: stopped, for nothing would be accepted: {self.courier.hopeless}"
        rest = "; --resume goes on from here" if interrupted else ""
        return f"replay: {told.accepted} accepted, {told.refused} refused, {len(self.facts.broken)} broken{rest}"

    def _anew(self) -> Progressed:
        begin = self._beginning()
        if not self.wanted.knowing:
            with closing(Api(self.environ)) as api:
                refuse_twice(api, self.wanted.project, self.facts, timedelta(seconds=begin.shift_seconds))
        return begin

    def _resumed(self) -> Progressed:
        left = self.journal.left()
        if left is None:
            raise Unusable("No replay of these sources into this project was interrupted: say it without --resume.")
        refuse_changed(left, self._beginning())
        return left

    def _beginning(self) -> Progressed:
        return Progressed(ids.new_run(), self._shift(), keep_ids=self.wanted.keep_ids, sources=about(self.sources))

    def _shift(self) -> int:
        """Whole minutes, so that what was in one minute still is."""
        return int((datetime.now(UTC) - self.facts.last) / MINUTE) * 60 if self.wanted.shift else 0

    def _round(self, begin: Progressed) -> bool:
        """True if its end was reached."""
        self.begun, self.rounds, started = begin, self.rounds + 1, time.monotonic()
        pace = Pace(self.wanted.speed)
        self._play = Play(self.courier, self.journal, pace, self.wanted.batch, keep_ids=self.wanted.keep_ids)
        ended = self._play.run(read(self.sources), begin)
        self.seconds += time.monotonic() - started
        if ended:
            self.journal.over()
        return ended

    def _past(self, begin: Progressed) -> bool:
        """Waits until the next round begins after the end of this one; False if it is told to stop."""
        last = self.facts.last + timedelta(seconds=begin.shift_seconds)
        again = last + (self.facts.last - self.facts.first) + MINUTE
        left = (again - datetime.now(UTC)).total_seconds()
        return not self.stopping.wait(0 if self.wanted.knowing else max(0.0, left))


def refuse_nonsense(wanted: Wanted) -> None:
    if wanted.loop and not (wanted.shift or wanted.knowing):
        raise Unusable(f"--loop sends the same times again and again: say --shift too, or {KNOWING}.")
    if wanted.loop and wanted.keep_ids:
        raise Unusable(
            "--loop with --keep-ids would send the same events again, which are counted once: leave one out."
        )
    if wanted.batch < 1:
        raise Unusable("--batch is how many events a request has: at least 1.")


def refuse_changed(left: Progressed, now: Progressed) -> None:
    """What was sent is known by the number of a line alone, and is sent again under its id."""
    if left.keep_ids != now.keep_ids:
        began, say = ("with", "say it too") if left.keep_ids else ("without", "leave it out")
        raise Unusable(f"It was begun {began} --keep-ids: {say}, for other ids would be counted twice.")
    if left.sources != now.sources:
        raise Unusable(
            "The sources have changed since it was interrupted, in number, name or size, so nobody knows which lines "
            "were sent: put back what they were, or send them into a new project (--project NAME)."
        )


def refuse_broken(found: Facts, what: str) -> None:
    """By number, before anything is sent."""
    if found.broken and what == "stop":
        shown = "\n  ".join(map(str, found.broken[:SHOWN]))
        more = f"\n  and {len(found.broken) - SHOWN} more" if len(found.broken) > SHOWN else ""
        raise Unusable(f"nothing was sent, for these lines are no events (--broken skip goes on):\n  {shown}{more}")
    if not found.events:
        raise Unusable("there is no event in it.")
