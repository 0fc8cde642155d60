"""`python -m local.traffic`: a shop's never-ending traffic, with deploys, sales, and things that break.

`--demo` first tells the day before in a few seconds, so that a dashboard has a story at once. Ctrl-C ends it, with a
report as JSON on stdout; it ends with 0 if every event was accepted, with 1 if any was not, with 2 if it cannot begin.
"""

import argparse
import json
import sys
import threading
import time
from contextlib import closing
from datetime import UTC, datetime
from functools import partial

from local.sending import tool
from local.sending.interrupt import interrupts
from local.sending.progress import Progress
from local.sending.target import Api, environment, target
from local.traffic import demo
from local.traffic.happenings import Happens, around
from local.traffic.sending import Traffic
from local.traffic.shop import Life

EXAMPLES = """
examples:
  python -m local.traffic                          from now on, until Ctrl-C
  python -m local.traffic --demo                   the day before first: what `make demo` does
  python -m local.traffic --seed 7 --project shop  another shop, in a project of its own, made through the API

It sends to INGEST_API_URL with PROJECT_API_KEY; without them, to the stack of this folder.
"""


def main(arguments: list[str]) -> int:
    words = parser().parse_args(arguments)
    return tool.ended("traffic", lambda: run(words))


def parser() -> argparse.ArgumentParser:
    made = tool.parser("traffic", __doc__ or "", EXAMPLES)
    made.add_argument("--seed", type=int, default=1, help="decides what happens (1)")
    made.add_argument("--demo", action="store_true", help="tell the day before first")
    made.add_argument("--environment", default="prod", help="prod, staging or dev (prod)")
    return made


def run(words: argparse.Namespace) -> int:
    environ, now, stopping = environment(), int(time.time() // 60), threading.Event()
    to, begin = target(environ, words.project), now
    life = Life(words.seed, words.environment)
    happens: Happens = partial(around, words.seed)
    if words.demo:
        life, happens = demo.told_at(life, now), demo.happens(words.seed, now)
        with closing(Api(environ)) as api:
            begin = untold(api, words.project, now)
    traffic = Traffic(life, happens, to, stopping)
    interrupts(stopping)
    with Progress(traffic.line, traffic.talk):
        traffic.run(begin)
    print(json.dumps(traffic.report(), indent=2))
    if traffic.courier.hopeless:
        print(f"traffic: stopped, for nothing would be accepted: {traffic.courier.hopeless}", file=sys.stderr)
    return int(bool(traffic.courier.hopeless) or not traffic.tally.well)


def untold(api: Api, project: str, now: int) -> int:
    """The minute the story begins in: a day ago, or after what is there already."""
    first = now - demo.HOURS * 60
    there = [place for place, count in enumerate(api.minutes(project, time_of(first), time_of(now))) if count]
    return min(now, first + max(there, default=-1) + 1)


def time_of(minute: int) -> datetime:
    return datetime.fromtimestamp(minute * 60, UTC)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
