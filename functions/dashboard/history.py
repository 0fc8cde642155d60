"""The timeline of an incident in sentences, newest first: what happened in bold, by whom and why after it."""

from datetime import datetime, timedelta
from typing import NamedTuple

from common.clients.postgres.whole import Deploy, Entry, Whole
from common.detection.rules import HOUR, threshold
from common.incidents.clock import minute_of
from common.incidents.incident import MILD
from common.incidents.timeline import CLOCK, ENGINE
from functions.dashboard.evidence import Summary
from functions.dashboard.words import alerts, cut, in_window, usually

PROMPT = timedelta(minutes=10)  # written down so soon after it happened: then the time of writing has the seconds


class Event(NamedTuple):
    at: datetime
    glyph: str
    what: str
    more: str = ""
    said: str = ""  # a person's own words, with their line breaks


def history(whole: Whole, summary: Summary | None) -> list[Event]:
    """Changes, the summary, and the deploys near its beginning."""
    found = [event(whole, entry) for entry in whole.timeline]
    if left_out := whole.entries - len(whole.timeline):
        found.insert(-1, Event(found[-2].at, "minus", f"{left_out} entries", "before this are not shown."))
    if summary and not summary.plain:
        verified = f"{len(summary.proofs)} of {summary.given} statements verified"
        found.append(Event(summary.written_at, "spark", "AI summary ready.", verified))
    found += [_deploy(whole, deploy) for deploy in near(whole)]
    return sorted(found, key=lambda one: one.at, reverse=True)


def near(whole: Whole) -> list[Deploy]:
    """From an hour before it opened on."""
    return [deploy for deploy in whole.releases if deploy.at >= whole.opened_at - timedelta(hours=1)]


def event(whole: Whole, entry: Entry) -> Event:
    at, by, why = moment(entry), by_whom(entry.who), entry.why
    match entry.what:
        case "opened":
            return Event(at, "open", f"Opened as {opened_as(whole)}.", numbers(whole, entry))
        case "worsened":
            return Event(at, whole.severity, f"Now {whole.severity}.", numbers(whole, entry) or why)
        case "resolved":
            what = "Resolved." if by else "Resolved by itself,"
            return Event(at, "resolved", what, by or why, why if by else "")
        case "restored":
            return Event(at, "open", "Open again,", why)
        case "acknowledged":
            return Event(at, "investigating", "Acknowledged", by, why)
        case "unacknowledged":
            return Event(at, "open", "Acknowledgement taken back", by, why)
        case "reopened":
            return Event(at, "open", "Reopened", by, why)
        case "assigned":
            return Event(at, "person", f"Assigned {cut(entry.why, 60)}", by)
        case "summary_asked":
            return Event(at, "spark", "AI summary asked for", by)
        case "commented":
            return Event(at, "comment", cut(entry.who, 60), said=entry.why)


def opened_as(whole: Whole) -> str:
    """Severity only rises, and each rise is an entry."""
    worsened = any(entry.what == "worsened" for entry in whole.timeline)
    return MILD[whole.rule] if worsened else whole.severity


def numbers(whole: Whole, entry: Entry) -> str:
    """34 errors in 5 minutes, usually 4; alerts from 30."""
    if not entry.numbers or "observed" not in entry.numbers:
        return ""
    observed, usual = int(entry.numbers["observed"]), float(entry.numbers.get("usual", 0))
    hour = round(usual * HOUR / entry.numbers.get("minutes", whole.window))
    limit = threshold(whole.rule, hour)
    said = f"{in_window(whole.rule, observed)}, {usually(usual)}"
    return f"{said}; {alerts(whole.rule, limit)}" if limit is not None else said


def moment(entry: Entry) -> datetime:
    """Of what was written down at once the moment of writing, which has seconds; else that of the series."""
    return entry.done_at if timedelta(0) <= entry.done_at - entry.at < PROMPT else entry.at


def by_whom(who: str) -> str:
    return "" if who in (ENGINE, CLOCK) else f"by {cut(who, 60)}"


def _deploy(whole: Whole, deploy: Deploy) -> Event:
    name = cut(deploy.release or "A release", 60)
    return Event(deploy.at, "deploy", f"{name} deployed to {whole.environment}", cut(deploy.message, 120))


def apart(whole: Whole, at: datetime) -> int:
    """Whole minutes after its opening; before it, negative."""
    return minute_of(at) - minute_of(whole.opened_at)
