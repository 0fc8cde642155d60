"""`python -m local.loadgen`: sends events at a rate that is held, whatever the server does, and reports on them.

The report is JSON on stdout; how it goes is told on stderr. It ends with 0 if every event was sent and answered as it
should be, with 1 if any was not, with 2 if it could not begin, and with 130 after Ctrl-C, with its report.
"""

import argparse
import json
import sys
import threading
import time
from datetime import UTC, datetime
from typing import Any

from local.loadgen.events import MODES, Plan, flow
from local.loadgen.load import Load
from local.sending import ids, tool
from local.sending.courier import Courier
from local.sending.interrupt import interrupts
from local.sending.progress import Progress, since
from local.sending.tally import Tally
from local.sending.target import Target, environment, target

EXAMPLES = """
modes:
{modes}

examples:
  python -m local.loadgen                                        fifty events a second for a minute
  python -m local.loadgen spike_errors --rate 20 --duration 600  an incident, for ten minutes
  python -m local.loadgen normal --rate 5000 --batch 100 > report.json
  python -m local.loadgen drop_signups --project drill           into a project of its own, made through the API

It sends to INGEST_API_URL with PROJECT_API_KEY; without them, to the stack of this folder.
"""
MOST_IN_BATCH, BATCHES_A_SECOND = 100, 10
MOST = 10_000_000  # of anything one may ask for


def main(arguments: list[str]) -> int:
    words = parser().parse_args(arguments)
    return tool.ended("loadgen", lambda: run(plan_of(words), target(environment(), words.project), words.concurrency))


def parser() -> argparse.ArgumentParser:
    modes = "\n".join(f"  {name:<18} {meaning}" for name, meaning in MODES.items())
    made = tool.parser("loadgen", __doc__ or "", EXAMPLES.format(modes=modes))
    made.add_argument("mode", nargs="?", choices=list(MODES), default="normal")
    made.add_argument("--rate", type=positive, default=50.0, help="events a second (50)")
    made.add_argument("--duration", type=positive, default=60.0, help="seconds (60)")
    made.add_argument("--concurrency", type=counting, default=8, help="connections (8)")
    made.add_argument("--seed", type=int, default=1, help="the same seed gives the same events (1)")
    made.add_argument("--batch", type=counting, help="events a request (a tenth of a second's, at most 100)")
    made.add_argument("--environment", default="prod", help="prod, staging or dev (prod)")
    return made


def positive(text: str) -> float:
    try:
        if 0 < float(text) <= MOST:
            return float(text)
    except ValueError:
        pass
    raise argparse.ArgumentTypeError(f"{text} is no number above 0 and up to {MOST}")


def counting(text: str) -> int:
    if not (text.isdecimal() and 0 < int(text) <= MOST):
        raise argparse.ArgumentTypeError(f"{text} is no whole number from 1 to {MOST}")
    return int(text)


def plan_of(words: argparse.Namespace) -> Plan:
    batch = words.batch or max(1, min(MOST_IN_BATCH, int(words.rate / BATCHES_A_SECOND)))
    began, run = datetime.now(UTC), ids.new_run()
    return Plan(words.mode, words.rate, words.duration, words.seed, batch, words.environment, run, began)


def run(plan: Plan, to: Target, concurrency: int) -> int:
    stopping = threading.Event()
    interrupted = interrupts(stopping)
    courier = Courier(to, Tally(), stopping)
    load = Load(plan, courier, concurrency)
    with Progress(lambda: line(plan, load)):
        if before := flow(plan):
            courier.deliver(before, time.monotonic())
        load.run()
    courier.close()
    made = report(plan, load, len(before), interrupted=interrupted.is_set())
    print(json.dumps(made, indent=2))
    print(closing(made, courier), file=sys.stderr)
    return 130 if interrupted.is_set() else int(not courier.tally.well)


def line(plan: Plan, load: Load) -> str:
    tally = load.courier.tally
    told, times = tally.told(), tally.milliseconds()
    errors = "".join(f", {count} x {kind}" for kind, count in tally.errors.most_common(3))
    unsent = f", {told.unsent} not sent" if told.unsent else ""
    return (
        f"{plan.mode} {since(load.started)}: {told.sent} sent, {told.accepted} accepted, {told.refused} refused{unsent}"
        f", p50/p95/p99 {times['p50']:.0f}/{times['p95']:.0f}/{times['p99']:.0f} ms{errors}"
    )


def report(plan: Plan, load: Load, before: int, *, interrupted: bool) -> dict[str, Any]:
    tally = load.courier.tally
    told = tally.told()
    seconds = max(tally.last_sent - load.started, 1 / plan.rate)
    return {
        "tool": "loadgen",
        "plan": plan._asdict() | {"began": plan.began.isoformat(), "events": plan.lines + before},
        "interrupted": interrupted,
        "seconds": round(seconds, 3),
        "events_per_second": round((told.sent - before) / seconds, 2),
        "events": {name: getattr(told, name) for name in ("sent", "accepted", "refused", "unsent", "given_up")},
        "requests": told.requests,
        "retries": told.retries,
        "milliseconds": tally.milliseconds(),
        "errors": dict(tally.errors.most_common()),
        "wrong_answers": tally.wrong,
        "well": tally.well and not interrupted,
    }


def closing(made: dict[str, Any], courier: Courier) -> str:
    """One sentence for people."""
    if courier.hopeless:
        return f"loadgen: stopped, for nothing would be accepted: {courier.hopeless}"
    events = made["events"]
    if made["wrong_answers"]:
        return f"loadgen: ingest answered wrongly: {made['wrong_answers'][0]}"
    short = [f"{events[name]} {name.replace('_', ' ')}" for name in ("refused", "unsent", "given_up") if events[name]]
    fell_short = f", {', '.join(short)}" if short else ""
    unsent = "; all connections were busy: the server cannot do more, or try --concurrency" if events["unsent"] else ""
    rate = f"{made['events_per_second']:.0f}/s of {made['plan']['rate']:.0f}/s"
    return f"loadgen: {events['accepted']} of {made['plan']['events']} accepted at {rate}{fell_short}{unsent}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
