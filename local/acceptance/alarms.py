"""What is unusual opens one incident that explains itself; what is not opens none; what is over is resolved."""

import os
from datetime import UTC, datetime, timedelta
from typing import Any

from local.acceptance.check import Checks, between, equal, settled
from local.acceptance.system import System, errors, signups, this_minute
from local.loadgen.events import FLOW_EACH, NEW, SPIKE

RATE = 20.0
LAST_ANSWER_SECONDS = 2.0  # may take so long on a busy machine; in ten minutes that is nothing
FINGERPRINT = f"{SPIKE['error_code']}|/api/checkout/:id/pay|prod"
MINUTE = timedelta(minutes=1)


def seconds() -> float:
    return float(os.environ.get("DURATION") or 20)


def spike(system: System) -> Checks:
    to = system.project("spike")
    report = system.loadgen("spike_errors", to, rate=RATE, seconds=seconds())
    events, began = report["plan"]["events"], datetime.fromisoformat(report["plan"]["began"])
    spikes = events // 2
    yield equal("events that were accepted", events, report["events"]["accepted"])
    slack = max(0.01, LAST_ANSWER_SECONDS / seconds())
    held = report["events_per_second"]
    yield between(f"events a second, held within {slack:.0%}", RATE * (1 - slack), RATE * (1 + slack), held)
    until = began + timedelta(seconds=seconds())
    span = {"from": began.isoformat(), "to": until.isoformat()}
    yield equal("events of that time in search", events, settled(lambda: system.found(to, **span), events))
    code = f"error_code:{SPIKE['error_code']}"
    yield equal("errors of that code in search", spikes, system.found(to, q=code, **span))
    incident = system.incident(to)
    yield equal("incidents it has", [FINGERPRINT], [one["fingerprint"] for one in system.incidents(to)])
    yield equal("its state", "open", incident["status"])
    opened = (began + timedelta(seconds=59 / RATE)).replace(second=0, microsecond=0)  # every second one is an error
    yield equal("opened in the minute of the thirtieth error", said(opened), incident["opened_at"])
    counted = settled(lambda: system.one(incident)["event_count"], spikes)
    yield equal("errors it counts", spikes, counted)
    yield from explained(system, incident)


def explained(system: System, incident: dict[str, Any]) -> Checks:
    job = system.ended_job(incident)
    yield equal("its AI job", "succeeded", job["status"])
    shown = system.one(incident)
    yield equal(
        "a summary by a model is shown", (True, None), (bool(shown["summary"]), (shown["summary"] or {}).get("mark"))
    )
    yield equal("its title is the summary's", (shown["summary"] or {}).get("title"), shown["title"])


def boundaries(system: System) -> Checks:
    """What just reaches each number of the rules, and what just does not."""
    to, now = system.project("boundaries"), this_minute() - 5 * MINUTE
    hour = [now - n * MINUTE for n in range(70, 0, -1) for _ in range(5)]
    system.send(to, errors([now] * 29, "TWENTY_NINE") + errors([now] * 30, "THIRTY"))
    system.send(to, errors(hour + [now] * 54, "NEARLY_THREE_TIMES") + errors(hour + [now] * 55, "THREE_TIMES"))
    system.send(to, errors([now] * 299, "NEARLY_CRITICAL") + errors([now] * 300, "CRITICAL"))
    for environment, before, left in (("prod", 160, 10), ("staging", 160, 11), ("dev", 159, 0)):
        times = [now - 16 * MINUTE] * before + [now - 15 * MINUTE] * left + [now]  # the last one proves the silence
        system.send(to, signups(times, environment))
    wanted = {
        "THIRTY": (30, 0.0, "error"),
        "THREE_TIMES": (75, 25.0, "error"),
        "NEARLY_CRITICAL": (30, 0.0, "error"),
        "CRITICAL": (30, 0.0, "critical"),
        "signups in prod": (10, 40.0, "warn"),
    }

    def opened() -> dict[str, tuple[int, float, str]]:
        named = {one["error_code"] or f"signups in {one['environment']}": one for one in system.incidents(to)}
        return {name: (one["observed"], float(one["usual"]), one["severity"]) for name, one in named.items()}

    found = settled(opened, wanted)
    for name, numbers in wanted.items():
        yield equal(f"{name}: observed, usual, severity", numbers, found.get(name))
    yield equal("incidents beside these", [], sorted(found.keys() - wanted.keys()))


def deploy(system: System) -> Checks:
    to = system.project("deploy")
    report = system.loadgen("deploy_then_spike", to, rate=RATE, seconds=min(15.0, seconds()))
    yield equal("events that were accepted", report["plan"]["events"], report["events"]["accepted"])
    incident = system.incident(to)
    marked = [(one["service"], one["release"]) for one in incident["deploys"]]
    yield equal("the deploy that is marked", [(SPIKE["service"], NEW)], marked)
    errors_at = [datetime.fromisoformat(one["occurred_at"]) for one in incident["events"]]
    first = min(errors_at, default=datetime.min.replace(tzinfo=UTC))
    before = [datetime.fromisoformat(one["occurred_at"]) <= first for one in incident["deploys"]]
    yield equal("it stands before the first error", [True], before)
    yield from explained(system, incident)


def drop(system: System) -> Checks:
    to = system.project("drop")
    report = system.loadgen("drop_signups", to, rate=RATE, seconds=3)
    yield equal("events that were accepted", report["plan"]["events"], report["events"]["accepted"])
    incident = system.incident(to)
    yield equal("the rule that holds", "signup_drop", incident["rule"])
    seen = (incident["observed"], float(incident["usual"]), incident["peak"], incident["severity"])
    # Judged minute by minute: two minutes of signups are left of the first window, none of the last.
    yield equal("at first, usually, at worst", (2 * FLOW_EACH, 15.0 * FLOW_EACH, 0, "critical"), seen)
    yield from explained(system, incident)


def resolve(system: System) -> Checks:
    """An hour in which the rule did not hold has passed, says the next event of the series."""
    to, now = system.project("resolve"), this_minute()
    system.send(to, errors([now - 70 * MINUTE] * 30 + [now - 8 * MINUTE], "OVER"))
    wanted = ("resolved", said(now - 10 * MINUTE))
    yield equal("state, and since when", wanted, settled(lambda: state(system.incident(to)), wanted))


def state(incident: dict[str, Any]) -> tuple[str, str]:
    return incident["status"], incident["resolved_at"] or ""


def said(at: datetime) -> str:
    """As the API says it."""
    return at.isoformat().replace("+00:00", "Z")


def prepare_silence(system: System) -> None:
    """Signups of which the last comes now: then the clock is put forward."""
    now, to = this_minute(), system.project("silence")
    system.send(to, signups([now - n * MINUTE / FLOW_EACH for n in range(90 * FLOW_EACH, -1, -1)]))
    system.notes["silence"] = to


def silence(system: System) -> Checks:
    """No event comes: the clock alone says that it is silent."""
    incident = system.incident(system.notes["silence"])
    yield equal("the rule that holds", "signup_drop", incident["rule"])
    yield equal("signups at worst, and how bad that is", (0, "critical"), (incident["peak"], incident["severity"]))
    yield from explained(system, incident)


def prepare_resolve_by_clock(system: System) -> None:
    now, to = this_minute(), system.project("over")
    system.send(to, errors([now] * 30, "ENDED"))
    system.ended_job(system.incident(to))  # it would keep the worker busy while the next scenario holds its model still
    system.notes["over"] = to, ("resolved", said(now + 60 * MINUTE))


def resolve_by_clock(system: System) -> Checks:
    to, wanted = system.notes["over"]
    yield equal("state, and since when", wanted, settled(lambda: state(system.incident(to)), wanted))
