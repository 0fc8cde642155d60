"""One series as its tables hold it, in memory: reads what the engine would read, keeps what the player answers.

The gates are those of the engine's read: rows are given only where a window of the batch could hold, and no row more
than could be needed, so that a player who needs another one is found out.
"""

from collections.abc import Iterable
from itertools import count, groupby, repeat
from typing import Any

from common.detection.rules import DROP, SPIKE
from common.incidents import people, play
from common.incidents.clock import may_be_silent
from common.incidents.incident import Incident
from common.incidents.state import Played, Run, State, first_row
from common.incidents.timeline import Entry
from tests.cases import Outcome, Step

ANA = people.Person("ana", "seen to")


class Shelf:
    def __init__(self, kind: str, player: Any = play, acts: Any = people) -> None:
        self.rule = SPIKE if kind == "error" else DROP
        self.newest: int | None = None
        self.judged: int | None = None
        self.values: dict[int, int] = {}
        self.criticals: dict[int, int] = {}
        self.incidents: dict[str, Incident] = {}
        self.events: dict[tuple[str, int], tuple[int, Any]] = {}
        self.timeline: list[Entry] = []
        self.reached: Any = None
        self.jobs = 0
        self.refused: list[str] = []
        self._calm: tuple[int, int, int] | None = None
        self._ids = (f"i{number}" for number in count())
        self._player, self._acts = player, acts
        self._seen = count()

    @property
    def incident(self) -> Incident | None:
        return next(reversed(self.incidents.values()), None)

    def send(self, steps: Iterable[Step]) -> None:
        """One batch."""
        numbered = [(step, next(self._seen)) for step in steps]
        groups = groupby(numbered, key=lambda pair: (pair[0].minute, pair[0].critical))
        runs = [Run(minute, critical, [number for _, number in group]) for (minute, critical), group in groups]
        self._keep(self._player.play(self._state(self._rows_for(runs)), runs, self._make_id))

    def act(self, step: Step, *, shut: bool = False) -> None:
        """The clock, or a person; `shut` where the gate is."""
        if self.newest is None:
            return
        if step.what == "clock":
            state = self._read()
            if self.rule == SPIKE or may_be_silent(state):
                self._keep(self._player.tick(state, step.minute, self._make_id))
        elif step.what in ("resolve", "reopen"):
            self._resolve_or_reopen(step, shut=shut)
        elif self.incident:
            answer = getattr(self._acts, step.what)(self.incident, ANA, step.minute)
            self._take(answer)

    def outcomes(self) -> list[Outcome]:
        return [
            Outcome(
                opened_at=incident.opened_at,
                last_seen_at=incident.last_seen_at,
                severity=incident.severity,
                status=incident.status,
                resolved_at=incident.resolved_at,
                by_person=incident.by_person is not None,
                event_count=incident.event_count,
                observed=incident.observed,
                hour=incident.hour,
                peak=incident.peak,
                recurrence=incident.recurrence_of is not None,
            )
            for incident in self.incidents.values()
        ]

    def _resolve_or_reopen(self, step: Step, *, shut: bool) -> None:
        last, state = self.incident, self._read(reopening=step.what == "reopen")
        moment = self._acts.Moment(step.minute, None if shut else step.minute)
        act = getattr(self._acts, step.what)
        played, refusal = act(state, last.id if last else "none", ANA, moment, self._make_id)
        self._keep(played)
        self.refused += [refusal.code] if refusal else []

    def _take(self, answer: Any) -> None:
        if isinstance(answer, self._acts.Refusal):
            self.refused.append(answer.code)
        else:
            incident, entry = answer
            self.incidents[incident.id] = incident
            self.timeline.append(entry)

    def _state(self, rows: dict[int, int] | None) -> State:
        criticals = {minute: n for minute, n in self.criticals.items() if rows and minute in rows}
        return State(self.rule, self.newest, self.judged, self.incident, rows, criticals)

    def _make_id(self) -> str:
        return next(self._ids)

    def _keep(self, played: Played) -> None:
        self.newest, self.judged = played.newest, played.judged
        self.reached = self.reached if played.reached is None else played.reached
        for minute, (events, critical) in played.buckets.items():
            self.values[minute] = self.values.get(minute, 0) + events
            if critical:
                self.criticals[minute] = self.criticals.get(minute, 0) + critical
        if played.updated:
            assert played.updated.id in self.incidents
            self.incidents[played.updated.id] = played.updated
            assert self._unresolved() <= 1
        for incident in played.opened:
            assert incident.id not in self.incidents
            self.incidents[incident.id] = incident
            self.jobs += 1
            assert self._unresolved() <= 1, "one unresolved incident of a series"
        for incident_id, slot, minute, event in played.kept:
            there = self.events.get((incident_id, slot))
            if there is None or there[0] <= minute:
                self.events[incident_id, slot] = minute, event
        self.timeline += played.timeline
        assert played.incident == self.incident

    def _unresolved(self) -> int:
        return sum(incident.status != "resolved" for incident in self.incidents.values())

    def _read(self, *, reopening: bool = False) -> State:
        """For the clock and for people: the rows they say they need."""
        first = first_row(self._state(None), reopening=reopening)
        return self._state(None if first is None else self._rows(first))

    def _rows(self, first: int) -> dict[int, int]:
        """From this minute on; the last ones are looked up, an old series has many."""
        minutes = range(first, (first if self.newest is None else self.newest) + 1)
        there = self.values if len(self.values) < len(minutes) else minutes
        return {minute: self.values[minute] for minute in there if minute >= first and minute in self.values}

    def _sum(self, first: int, last: int) -> int:
        return sum(map(self.values.get, range(first, last + 1), repeat(0)))

    def _rows_for(self, runs: list[Run]) -> dict[int, int] | None:
        first, last = min(run.minute for run in runs), max(run.minute for run in runs)
        if self.rule == DROP:
            proves = self.newest is None or last > self.newest
            return self._rows((last if self.judged is None else self.judged) - 74) if proves else None
        newest = last if self.newest is None else max(self.newest, last)
        first = first if self.newest is None else max(first, self.newest - 60)
        last = min(last + 4, newest)
        return self._rows(first - 64) if self._could_hold(first, last, sum(len(run.events) for run in runs)) else None

    def _could_hold(self, first: int, last: int, coming: int) -> bool:
        """The largest sum any window can have, against the smallest usual any can have: what is common to all hours."""
        most = self._sum(first - 4, last) + coming
        incident = self.incident
        in_its_day = incident and incident.by_person is None and incident.opened_at + 1440 >= first
        own = incident.hour if incident and in_its_day else 10**9
        calm = self._calm[2] if self._calm and self._calm[0] <= first and last <= self._calm[1] else 0
        if most < 30 or most * 60 < 3 * max(60, 5 * min(calm, own)):
            return False
        self._calm = first, last + 10, self._sum(last - 54, first - 5)
        common = self._sum(last - 64, first - 5)
        return most * 60 >= 3 * max(60, 5 * min(common, own))
