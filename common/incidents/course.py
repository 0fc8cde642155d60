"""The course of one series: its counts, its newest incident, and what a finding, an event or passing time makes of it.

Only the newest incident of a series ever changes by itself.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from msgspec.structs import replace

from common.detection.rules import Finding
from common.detection.series import Scattered, counts_of
from common.incidents import incident as life
from common.incidents import timeline
from common.incidents.incident import Incident
from common.incidents.state import Kept, State
from common.incidents.timeline import Entry

FIRST_EVENTS = 50  # kept by arrival; after them
LAST_MINUTES = 50  # the newest event of each of the last minutes

NO_COUNTS = Scattered({})  # of a series that no window is asked of: nothing is added up

MakeId = Callable[[], str]


class Course:
    """Begins as the state that was read; afterwards holds what is to be written."""

    def __init__(self, state: State, make_id: MakeId, who: str, coming: Iterable[int] = ()) -> None:
        self.rule, self.incident = state.rule, state.incident
        self.counts = NO_COUNTS if state.values is None else counts_of(state.values, coming)
        self.entries: list[Entry] = []
        self.changed: dict[str, Incident] = {}
        self._may_hold = state.values is not None
        self._criticals = NO_COUNTS if state.values is None else Scattered(state.criticals)
        self._make_id, self._who = make_id, who
        self._counting: str | None = None  # whose the last event was, before it asked
        self._first_events: list[Kept] = []
        self._last_minutes: dict[tuple[str, int], Kept] = {}

    @property
    def kept(self) -> list[Kept]:
        return [*self._first_events, *self._last_minutes.values()]

    def own(self, minute: int) -> int | None:
        return self.incident.own(minute) if self.incident else None

    def count(self, minute: int, events: Sequence[Any], *, critical: bool) -> None:
        """They are counted before anything is asked, and are the incident's if their minute is."""
        if self._may_hold:  # else no window will be added up
            self.counts.add(minute, len(events))
            if critical:
                self._criticals.add(minute, len(events))
        self._counting = None
        if self.incident and self.incident.covers(minute):
            self._counting = self.incident.id
            self._grow(life.counting(self.incident, len(events), minute, critical=critical), minute)
            self.keep(minute, events)

    def hold(self, finding: Finding, now: int) -> None:
        """The rule holds in this minute: the newest incident goes on, or a new one opens, or a person's word stands."""
        incident = self.incident
        if incident is None:
            self._open(finding)
        elif incident.by_person is not None:
            if finding.first > incident.by_person:
                self._open(finding)
        elif finding.end > incident.end:
            self.settle(finding.end)
            self._open(finding)
        else:
            self._continue(incident, finding, now)

    def settle(self, now: int) -> None:
        """Past its end an incident is resolved by time."""
        incident = self.incident
        if incident and incident.status != "resolved" and now > incident.end:
            self.become(life.resolved_by_time(incident), timeline.passing(incident, self._who))

    def become(self, incident: Incident, entry: Entry | None = None) -> None:
        self.incident = self.changed[incident.id] = incident
        if entry:
            self.entries.append(entry)

    def take_in(self, first: int, last: int) -> None:
        """Minutes counted before have become the incident's."""
        assert self.incident
        self._grow(self._with(self.incident, first, last), self._criticals.newest(first, last))

    def keep(self, minute: int, events: Sequence[Any]) -> None:
        """The first fifty by arrival; then the newest of this minute, unless its place holds a later minute's."""
        incident = self.incident
        assert incident
        room = FIRST_EVENTS - incident.kept
        if room > 0:
            firsts = enumerate(events[:room], incident.kept)
            self._first_events += [Kept(incident.id, slot, minute, event) for slot, event in firsts]
            self.become(replace(incident, kept=min(incident.kept + len(events), FIRST_EVENTS)))
        if len(events) > room:
            place = (incident.id, FIRST_EVENTS + minute % LAST_MINUTES)
            there = self._last_minutes.get(place)
            if there is None or there.minute <= minute:
                self._last_minutes[place] = Kept(*place, minute, events[-1])

    def keep_opener(self, minute: int, event: Any) -> None:
        """The event whose asking made its minute the incident's is the first that it keeps."""
        incident = self.incident
        if incident and incident.id != self._counting and incident.covers(minute):
            self.keep(minute, [event])

    def has_another_than(self, incident: Incident | None) -> bool:
        return (self.incident and self.incident.id) != (incident and incident.id)

    def _open(self, finding: Finding) -> None:
        new = life.opened(finding, self._make_id(), after=self.incident)
        new = self._with(new, new.first, new.until)
        self.become(new, timeline.opening(new, finding, self._who))

    def _continue(self, before: Incident, finding: Finding, now: int) -> None:
        after = life.continued(before, finding)
        if before.status == "resolved":
            self.become(*self._reconsidered(after, finding, now))
        elif after != before:
            self.become(after)
        if after.severity != before.severity:
            self.entries.append(timeline.worsening(after, finding, self._who))
        if after.until > before.until:
            self.take_in(before.until + 1, after.until)

    def _reconsidered(self, after: Incident, finding: Finding, now: int) -> tuple[Incident, Entry | None]:
        """Time had resolved it. If it is over all the same nothing but its end has moved."""
        if now > after.end:
            return replace(after, resolved_at=after.end), None
        return life.restored(after), timeline.restoring(after, finding, self._who)

    def _with(self, incident: Incident, first: int, last: int) -> Incident:
        newest = self.counts.newest(first, last)
        if newest is None:
            return incident
        critical = self._criticals.newest(first, last) is not None
        return life.counting(incident, self.counts.total(first, last), newest, critical=critical)

    def _grow(self, after: Incident, minute: int | None) -> None:
        """If that makes it critical, an event of this minute did."""
        before = self.incident
        worse = before is not None and after.severity != before.severity
        self.become(after, timeline.critical_event(after, minute, self._who) if worse else None)
