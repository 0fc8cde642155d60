"""The player: the events of one series, and the clock, through the rules, in memory and in their order.

The outcome is that of one event at a time: it is counted, it asks the rules, and time resolves what nothing continued.
Runs are taken apart only where something can happen.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from common.detection.rules import DROP, HOUR, MINUTES, SPIKE, Window, error_spike, signup_drop
from common.incidents import spike, timeline
from common.incidents.course import Course, MakeId
from common.incidents.state import Played, Run, State

SPAN = MINUTES[DROP]


def play(state: State, runs: Sequence[Run], make_id: MakeId) -> Played:
    """The events of one series in their order, for the engine."""
    player = Player(state, make_id, timeline.ENGINE, [run.minute for run in runs])
    for run in runs:
        player.add(run)
    return player.played()


def tick(state: State, minute: int, make_id: MakeId) -> Played:
    """Every minute before this one is complete: judge the signups, resolve what is over. For the clock jobs."""
    player = Player(state, make_id, timeline.CLOCK)
    player.catch_up(minute)
    player.settle(minute)
    return player.played()


def settle(state: State, minute: int, make_id: MakeId) -> Played:
    """Resolve what is over before this minute, and judge nothing: of errors there is nothing to judge, and of signups

    that come late nobody knows which minutes are complete.
    """
    player = Player(state, make_id, timeline.CLOCK)
    player.settle(minute)
    return player.played()


class Player:
    """One series: where it stands in time, and the course of its incidents."""

    def __init__(self, state: State, make_id: MakeId, who: str, coming: Iterable[int] = ()) -> None:
        self.course = Course(state, make_id, who, coming)
        self._state, self._asks_windows = state, state.rule == SPIKE and state.values is not None
        self._only_counts = state.values is None and state.incident is None and state.judged is None
        self._newest, self._judged = state.newest, state.judged
        self._reached: Any = None
        self._asked = 0
        self._buckets: dict[int, tuple[int, int]] = {}

    def add(self, run: Run) -> None:
        """Events of one minute: after each one that may change something, the rules are asked."""
        minute, total, course = run.minute, len(run.events), self.course
        before = self._reach(run)
        if self._only_counts:  # nearly always: nothing is there that could hold, go on or be proven
            return
        windows = spike.asked(course.counts, minute, self.newest, total) if self._asks_windows else []
        # the first event of a later minute proves the minutes before it; later ones of its run are not in question
        done, alone = 0, self._judged is not None and minute > self._judged
        while done < total:
            stop = done + 1 if alone else spike.next_event(windows, course.incident, done, total)
            known = course.incident
            course.count(minute, run.events[done:stop], critical=run.critical)
            self._ask(windows, stop)
            self._prove(minute, before)
            course.settle(self.newest)
            course.keep_opener(minute, run.events[stop - 1])
            done, alone = stop, course.has_another_than(known)

    def catch_up(self, minute: int) -> None:
        """Judge the signups of every minute before this one, once and in order."""
        self._prove(minute, self._newest)

    def settle(self, minute: int) -> None:
        self.course.settle(minute)

    def played(self) -> Played:
        changed, loaded = dict(self.course.changed), self._state.incident
        return Played(
            newest=self._newest,
            judged=self._judged,
            reached=self._reached,
            incident=self.course.incident,
            buckets=self._buckets,
            updated=changed.pop(loaded.id, None) if loaded else None,
            opened=list(changed.values()),
            kept=self.course.kept,
            timeline=self.course.entries,
            asked=self._asked,
        )

    @property
    def newest(self) -> int:
        assert self._newest is not None, "a series has events"
        return self._newest

    def _reach(self, run: Run) -> int | None:
        """The newest minute before this run. The first event of a series is where its judging begins."""
        before, minute = self._newest, run.minute
        events, criticals = self._buckets.get(minute, (0, 0))
        count = len(run.events)
        self._buckets[minute] = (events + count, criticals + (count if run.critical else 0))
        if before is None or minute > before:
            self._newest, self._reached = minute, run.events[0]
        if before is None and self.course.rule == DROP:
            self._judged = minute
        return before

    def _ask(self, windows: list[spike.Asked], events: int) -> None:
        self._asked += len(windows)
        for end, before, hour in windows:
            finding = error_spike(Window(end, before + events, hour, self.course.own(end)))
            if finding:
                self.course.hold(finding, self.newest)

    def _prove(self, minute: int, newest: int | None) -> None:
        """Judge the minutes before this one; `newest` is the newest there are rows of.

        Where the 75 minutes before are empty and no incident is in its day, nothing can hold until the end.
        """
        course = self.course
        while self._judged is not None and newest is not None and self._judged < minute:
            assert self._state.values is not None, "a minute is judged from its rows"
            end = self._judged
            if end >= newest + HOUR + SPAN and course.own(end) is None:
                self._judged = minute
                return
            counts = course.counts
            hour = counts.total(end - SPAN - HOUR + 1, end - SPAN)
            self._asked += 1
            finding = signup_drop(Window(end, counts.total(end - SPAN + 1, end), hour, course.own(end)))
            if finding:
                course.hold(finding, minute)
            self._judged = end + 1
