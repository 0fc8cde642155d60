"""The rules and the life of an incident, one event at a time, as slowly and plainly as they can be said.

Written from the text of the design and sharing no line with `common/`: what the player answers is compared with this.
"""

from itertools import repeat
from typing import Any


class Reference:
    """One series: `kind` is "error" or "signup"; everything else is a list, a dictionary or a loop over them."""

    def __init__(self, kind: str) -> None:
        self.kind, self.span = kind, 5 if kind == "error" else 15
        self.counts: dict[int, int] = {}
        self.criticals: set[int] = set()
        self.newest: int | None = None
        self.judged = 0
        self.incidents: list[dict[str, Any]] = []
        self.log: list[tuple[int, str, int | None]] = []
        self.number = -1  # of the event

    def event(self, minute: int, critical: bool = False) -> None:
        """It is counted, then it asks, then time may have resolved what it did not continue."""
        first = self.newest is None
        self.counts[minute] = self.counts.get(minute, 0) + 1
        self.newest = minute if self.newest is None else max(self.newest, minute)
        self.judged = minute if first else self.judged
        if critical:
            self.criticals.add(minute)
            self.recount()
        self.number += 1
        self.keep(minute)
        if self.kind == "signup":
            self.judge(minute, self.newest)
        elif minute >= self.newest - 60:
            for end in range(minute, minute + 5):
                if end <= self.newest and end in self.counts:
                    self.ask(end, self.newest)
        self.keep(minute)
        self.pass_time(self.newest)

    def clock(self, minute: int) -> None:
        """Every minute before this one is complete. It judges where a minute that could hold is not judged yet."""
        if self.newest is not None:
            unresolved = bool(self.incidents) and self.incidents[-1]["status"] != "resolved"
            if unresolved or self.judged <= self.newest + 74:
                self.judge(minute, minute)
            self.pass_time(minute)

    def judge(self, before: int, now: int) -> None:
        if self.kind == "signup":
            while self.judged < before:
                # a shortcut of the reference's own: nothing within 75 minutes, and nothing in its day
                if self.judged > max(self.counts) + 80 and not self.own(self.judged):
                    self.judged = before
                    return
                self.ask(self.judged, now)
                self.judged += 1

    def total(self, first: int, last: int) -> int:
        return sum(map(self.counts.get, range(first, last + 1), repeat(0)))

    def own(self, end: int) -> list[int]:
        """The hour the newest incident opened with, in its day and while it is not over."""
        last = self.incidents[-1] if self.incidents else None
        if last and last["person"] is None and last["opened"] <= end <= min(last["opened"] + 1440, self.end(last)):
            return [last["hour"]]
        return []

    def ask(self, end: int, now: int) -> None:
        seen = self.total(end - self.span + 1, end)
        if self.kind == "error" and seen >= 30:
            hour = self.total(end - 64, end - 5)
            usual = min([hour, *self.own(end)]) / 12
            if seen >= 3 * max(1, usual):
                self.hold(end, now, seen, hour, seen >= 300 and seen >= 10 * max(1, usual))
        if self.kind == "signup" and seen <= 10:
            hour = self.total(end - 74, end - 15)
            if max([hour, *self.own(end)]) / 4 >= 40:
                self.hold(end, now, seen, hour, seen == 0)

    def hold(self, end: int, now: int, seen: int, hour: int, critical: bool) -> None:
        last = self.incidents[-1] if self.incidents else None
        if last and last["person"] is not None and end - self.span + 1 <= last["person"]:
            return
        if last and last["person"] is None and end <= self.end(last):
            moved, last["seen"] = end > last["seen"], max(last["seen"], end)
            last["peak"] = max(last["peak"], seen) if self.kind == "error" else min(last["peak"], seen)
            if last["status"] == "resolved":
                last["resolved"] = self.end(last)
                if now <= self.end(last):
                    last["status"], last["resolved"] = last["prior"], None
                    self.log.append((len(self.incidents) - 1, "restored", end))
        else:
            moved = True
            if last:
                self.recount()  # what it has counted is fixed when the next one opens
                self.pass_time(self.end(last) + 1)
            self.incidents.append(
                {
                    "opened": end,
                    "seen": end,
                    "observed": seen,
                    "hour": hour,
                    "peak": seen,
                    "severity": "error" if self.kind == "error" else "warn",
                    "status": "open",
                    "prior": "open",
                    "person": None,
                    "reopened": None,
                    "resolved": None,
                    "number": 0,
                    "last": None,
                    "recurs": bool(last),
                    "events": [],
                }
            )
            self.log.append((len(self.incidents) - 1, "opened", end))
        self.worsen(critical)
        if moved:
            self.recount()

    def end(self, incident: dict[str, Any]) -> int:
        reopened = incident["reopened"]
        return int(max(incident["seen"], incident["seen"] if reopened is None else reopened)) + 60

    def covers(self, incident: dict[str, Any], minute: int) -> bool:
        until = self.end(incident) if incident["person"] is None else min(self.end(incident), incident["person"])
        return bool(incident["opened"] - self.span + 1 <= minute <= until)

    def keep(self, minute: int) -> None:
        """From the event that opened it on, those whose minute is the incident's."""
        last = self.incidents[-1] if self.incidents else None
        if last and self.covers(last, minute) and (minute, self.number) not in last["events"][-1:]:
            last["events"].append((minute, self.number))

    def kept(self) -> dict[tuple[int, int], tuple[int, int]]:
        """The first fifty, and the newest of each of the last fifty minutes: of two in one place the later."""
        slots: dict[tuple[int, int], tuple[int, int]] = {}
        for place, incident in enumerate(self.incidents):
            for order, (minute, number) in enumerate(incident["events"]):
                slot = (place, order if order < 50 else 50 + minute % 50)
                if slot not in slots or slots[slot][0] <= minute:
                    slots[slot] = (minute, number)
        return slots

    def recount(self) -> None:
        """An event counts the moment it comes; to save hours it is added up only where the sum decides or is read."""
        if self.incidents:
            last = self.incidents[-1]
            minutes = [minute for minute in self.counts if self.covers(last, minute)]
            last["number"] = sum(self.counts[minute] for minute in minutes)
            last["last"] = max(minutes, default=None)
            self.worsen(self.kind == "error" and not self.criticals.isdisjoint(minutes))

    def worsen(self, critical: bool) -> None:
        self.incidents[-1]["severity"] = "critical" if critical else self.incidents[-1]["severity"]

    def pass_time(self, now: int) -> None:
        last = self.incidents[-1] if self.incidents else None
        if last and last["status"] != "resolved" and now > self.end(last):
            last["prior"], last["status"], last["resolved"] = last["status"], "resolved", self.end(last)
            self.log.append((len(self.incidents) - 1, "resolved", self.end(last)))

    def acknowledge(self) -> None:
        if self.incidents and self.incidents[-1]["status"] == "open":
            self.incidents[-1]["status"] = "investigating"

    def unacknowledge(self) -> None:
        if self.incidents and self.incidents[-1]["status"] == "investigating":
            self.incidents[-1]["status"] = "open"

    def resolve(self, minute: int, complete: int | None) -> None:
        """A person means the incident there was before the series was brought up to date."""
        meant, minute = len(self.incidents), self.up_to_date(minute, complete)
        if meant == len(self.incidents) > 0 and self.incidents[-1]["status"] != "resolved":
            self.incidents[-1].update(status="resolved", resolved=minute, person=minute)
            self.log.append((meant - 1, "resolved", minute))

    def reopen(self, minute: int, complete: int | None) -> None:
        meant, minute = len(self.incidents), self.up_to_date(minute, complete)
        if meant == len(self.incidents) > 0 and self.incidents[-1]["status"] == "resolved":
            self.incidents[-1].update(status="open", resolved=None, person=None, reopened=minute)
            self.log.append((meant - 1, "reopened", minute))
            self.recount()

    def up_to_date(self, minute: int, complete: int | None) -> int:
        """The minute in which a person acts; where nothing is known to be complete, the newest."""
        newest = minute if self.newest is None else self.newest
        if complete is None:
            return newest
        self.judge(complete, complete)
        self.pass_time(max(minute, newest))
        return max(minute, newest)
