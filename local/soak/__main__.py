"""`make soak MINUTES=5 STACK=embedded|native`: a stack of its own, events all the time, and whatever can go wrong.

What goes wrong, and when, comes from the seed: kill -9, freezes, restarts and outages of the stores, full disks, slow
networks, other clocks. At the end all must settle by itself, and then a plain count of what was answered with 202
judges it: each event counted once and searchable, nothing else, the incidents those of the reference, no dead letter.
It ends with 0 only then. The report is JSON in .local/soak.json; a failure says how to play it again.

  SEED=7            of what goes wrong and of what is sent (another one each time)
  ONLY=kill,full    these faults alone: kill, freeze, restart, outage, full, slow, clock
"""

import argparse
import json
import os
import sys
import time
from pathlib import Path

from common.errors import Misconfigured
from local import state
from local.soak import schedule
from local.soak.soak import Soak


def main(arguments: list[str]) -> int:
    made = argparse.ArgumentParser(
        prog="soak", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    made.add_argument("--kills", type=int, default=0, help="so often on each stack: every part is killed once")
    made.add_argument("--report", type=Path, default=state.HOME / "soak.json", help="where the JSON report goes")
    words = made.parse_args(arguments)
    seed = int(os.environ.get("SEED") or time.time_ns() % 1_000_000)
    if words.kills:
        return max(kills(stack, seed + number) for number in range(words.kills) for stack in schedule.STORES)
    minutes, stack = os.environ.get("MINUTES") or "5", os.environ.get("STACK") or "embedded"
    length, only = 60 * float(minutes), os.environ.get("ONLY", "")
    kinds = [kind for kind in only.split(",") if kind] or list(schedule.KINDS)
    if stack not in schedule.STORES or (set(kinds) - set(schedule.KINDS)):
        raise Misconfigured(f"STACK is one of {', '.join(schedule.STORES)}, ONLY of {', '.join(schedule.KINDS)}.")
    soak = Soak(stack, seed, length, schedule.faults(stack, seed, length, kinds), said)
    said(f"{stack}, {length:.0f} s, {len(soak.schedule)} faults; SEED={seed}")
    again = f"make soak STACK={stack} SEED={seed} MINUTES={minutes}{f' ONLY={only}' if only else ''}"
    return played(soak, words.report, again)


def kills(stack: str, seed: int) -> int:
    faults = schedule.each_killed(stack, seed)
    said(f"{stack}, every part killed once; SEED={seed}")
    soak = Soak(stack, seed, faults[-1].at + 2, faults, said)
    return played(soak, state.HOME / f"kills-{stack}-{seed}.json", f"SEED={seed} make soak ARGS='--kills 1'")


def played(soak: Soak, report: Path, again: str) -> int:
    """Its report is written, and told how to play it `again`, whatever happens."""
    try:
        soak.run()
    finally:
        report.parent.mkdir(exist_ok=True)
        report.write_text(json.dumps(soak.report(), indent=2) + "\n")
        soak.remove()
        for line in closing(soak, again):
            said(line)
    return int(bool(soak.differences))


def closing(soak: Soak, again: str) -> list[str]:
    told = soak.report()
    events, answers = told["events"], ", ".join(f"{count} x {kind}" for kind, count in told["answers"].items())
    lines = [
        f"{events['sent']} events sent, {events['accepted']} accepted, {events['unanswered']} unanswered; {answers}; "
        f"{told['incidents']} incidents; drained in {told['drained_in_seconds']} s"
    ]
    if soak.differences:
        return [*lines, *soak.differences, f"FAILED; its logs are in {soak.stack.home}. Again: {again}"]
    return [*lines, "every accepted event is counted once and searchable, and nothing else is"]


def said(line: str) -> None:
    print(line, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
