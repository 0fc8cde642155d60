"""Incident: what is broken, since when, how bad, what changed, what next, who has it; one page, no tabs."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple, TypeVar
from uuid import UUID

from common import settings
from common.clients.postgres import outputs, rows, whole
from common.clients.postgres.whole import Whole
from common.clients.search import incidents
from common.clients.search.language import field
from common.detection.readings import Reading
from common.errors import Problem
from common.incidents.clock import minute_of, time_of
from functions.dashboard import course, evidence, history, sentences
from functions.dashboard.counting import counted_until
from functions.dashboard.evidence import Summary
from functions.dashboard.listing import SEVERITIES, STATUSES
from functions.dashboard.plots import limits
from functions.dashboard.plots.incident import Plot, plot
from functions.dashboard.plots.points import Range
from functions.dashboard.plots.scale import decimal
from functions.dashboard.question import LONGEST, search_path
from functions.dashboard.serving import Asked, Page
from functions.dashboard.times import Clock
from functions.dashboard.words import cut

RULES = {"error_spike": "Error spike", "signup_drop": "Signup drop"}
SHOWN = 8  # things that changed
UNRESOLVED, RESOLVED = 10, 60  # seconds between refreshes
TRIPLED = 3
SPARE = 5  # minutes before the first that is drawn, so that the whole hour before the window is in the band
T = TypeVar("T")


class Change(NamedTuple):
    """Something else that happened near the opening."""

    at: datetime
    what: str
    more: str
    href: str
    apart: int  # minutes after it opened


class Tint(NamedTuple):
    """Where a chip leads to."""

    name: str
    x: str
    width: str


def version(asked: Asked) -> object:
    return theirs(whole.version(asked.conn, asked.reader.caller.org_id, asked.path["id"]))


def values(asked: Asked) -> Mapping[str, object]:
    reader, org = asked.reader, asked.reader.caller.org_id
    of = rows.Asked(org, reader.now, counted_until(asked.conn, reader.now))
    one = theirs(whole.one(asked.conn, of, asked.path["id"]))
    shown = outputs.shown(asked.conn, org, UUID(asked.path["id"]))
    keep = settings.current().keep
    summary = evidence.summary_of(shown, one, reader.clock, keep) if shown else None
    readings = course.of(one, one.first - SPARE, min(one.newest, one.until - 1))
    incident = one.incident
    band = limits.sums_before(incident, readings)
    drawn = plotted(one, reader.clock, readings)
    return {
        "one": one,
        "name": cut(one.title),
        "severity": SEVERITIES[one.severity],
        "status": STATUSES[one.status],
        "rule": RULES[one.rule],
        "sentence": sentences.header(incident, reader.clock, latest(one, readings), band, resolved_by(one)),
        "tab": sentences.title(incident, readings, cut(one.title)),
        "peak_at": peak_at(one, readings),
        "worst_word": sentences.worst_word(incident),
        "plot": drawn,
        "stretches": stretches(one, summary, drawn.width),
        "changes": changes(one)[:SHOWN],
        "summary": summary,
        "outgrown": outgrown(one, readings, summary),
        "written": number_then(one, readings, summary),
        "events": one.events[::-1],
        "search": search_address(one),
        "history": history.history(one, summary),
        "every": RESOLVED if one.status == "resolved" else UNRESOLVED,
        "typed": {},
        "said": "",
    }


def theirs(found: T | None) -> T:
    if found is None:
        raise Problem("not_found", "There is no such incident.", status=404)
    return found


def latest(one: Whole, readings: Sequence[Reading]) -> Sequence[Reading]:
    """Of an incident resolved after a day: how high it still is."""
    newest = course.newest_of(one)
    return [newest] if newest else readings


def plotted(one: Whole, clock: Clock, readings: Sequence[Reading]) -> Plot:
    kept = one.until if one.begins is None else min(one.begins, one.until)  # buckets are pruned, incidents are not
    begins = kept if kept > one.first else None
    deploys = [(deploy.at, deploy.release or "") for deploy in one.releases]
    return plot(one.incident, clock, Range(one.first, one.until, begins), readings, deploys)


def stretches(one: Whole, summary: Summary | None, width: int) -> list[Tint]:
    """Those of the verified statements that lie on the plot, as far as they do, in its points."""
    scale = width / (one.until - one.first)
    spans = [
        (part.name, max(part.first, one.first), min(part.end, one.until))
        for part in (summary.stretches if summary else ())
    ]
    return [
        Tint(name, decimal((first - one.first) * scale), decimal((end - first) * scale))
        for name, first, end in spans
        if first < end
    ]


def resolved_by(one: Whole) -> str:
    return next((entry.who for entry in one.timeline if entry.what == "resolved"), "")


def peak_at(one: Whole, readings: Sequence[Reading]) -> datetime | None:
    """The first minute since its opening with its worst sum."""
    opened = minute_of(one.opened_at)
    found = (time_of(each.minute) for each in readings if each.minute >= opened and each.observed == one.peak)
    return next(found, None)


def changes(one: Whole) -> list[Change]:
    """Deploys from an hour before it opened, and other incidents near it, in their order."""
    found = [
        Change(
            deploy.at,
            f"{cut(deploy.release or 'A release', 60)} deployed to {one.environment}",
            cut(deploy.message, 120),
            "",
            history.apart(one, deploy.at),
        )
        for deploy in history.near(one)
    ]
    found += [
        Change(
            near.opened_at,
            cut(near.title),
            "opened in the same project",
            f"/incidents/{near.id}",
            history.apart(one, near.opened_at),
        )
        for near in one.neighbours
    ]
    return sorted(found, key=lambda change: (abs(change.apart) > SHOWN * 60, change.at))


def outgrown(one: Whole, readings: Sequence[Reading], summary: Summary | None) -> bool:
    """The number has more than tripled since the summary was written."""
    then = number_then(one, readings, summary)
    return then is not None and bool(readings) and readings[-1].observed > TRIPLED * max(then, 1)


def number_then(one: Whole, readings: Sequence[Reading], summary: Summary | None) -> int | None:
    """In the newest whole minute when the summary was written; at the opening, if that was later."""
    if summary is None:
        return None
    minute = minute_of(summary.written_at) - 1
    if minute <= minute_of(one.opened_at):
        return one.observed
    return next((each.observed for each in readings if each.minute == minute), None)


def search_address(one: Whole) -> str:
    """All of its events, as far as search has them and looks at once."""
    until = time_of(one.incident.until + 1)
    terms = [field("error_code", one.error_code)] if one.error_code else []
    if one.route and ":id" not in one.route:
        terms.append(field("route", one.route))
    _, event_type = incidents.own(one.rule, one.error_code, one.route)
    said = {"q": " ".join(terms), "project": one.project_id, "env": one.environment, "type": event_type}
    return search_path(max(time_of(one.incident.first), until - LONGEST), until, **said)


page = Page("incident.html", values, version, every=UNRESOLVED)
