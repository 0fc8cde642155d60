"""`python -m local.replay`: sends recorded events, in their order and at the speed wanted.

From NDJSON files (also .gz), folders of them, and archives in object storage. The report is JSON on stdout; how it goes
is told on stderr. It ends with 0 if every line was accepted, with 1 if any was refused, with 2 if it could not begin,
and with 130 after Ctrl-C; then --resume goes on where it was.
"""

import argparse
import json
import sys
import threading

from local.replay.consent import KNOWING
from local.replay.replay import BATCH, Replay, Wanted
from local.sending import tool
from local.sending.interrupt import interrupts
from local.sending.progress import Progress
from local.sending.target import environment

EXAMPLES = f"""
examples:
  python -m local.replay fixtures/scenarios/spike_errors.ndjson --project try
  python -m local.replay fixtures/scenarios/deploy_then_spike.ndjson --shift --project now
  python -m local.replay recorded/ --speed 10
  python -m local.replay s3://signals/signals.raw.v1/day=2026-03-01/ --project march

Events get new ids, the same for the same id of the file; --keep-ids keeps the file's. A time that the project has
events of already is refused, for they would be counted beside them: send into a new project, or say {KNOWING}.
It sends to INGEST_API_URL with PROJECT_API_KEY; without them, to the stack of this folder.
"""


def main(arguments: list[str]) -> int:
    words = parser().parse_args(arguments)
    return tool.ended("replay", lambda: run(words))


def parser() -> argparse.ArgumentParser:
    made = tool.parser("replay", __doc__ or "", EXAMPLES)
    made.add_argument("sources", nargs="+", metavar="SOURCE", help="a file, a folder, or s3://bucket/prefix")
    made.add_argument("--speed", type=speed, default=0.0, help="1 as it happened, 10 ten times as fast, or max (max)")
    made.add_argument("--shift", action="store_true", help="move times by whole minutes, so that the last event is now")
    made.add_argument(
        "--loop", action="store_true", help="again and again, with new ids, each time when the last is past"
    )
    made.add_argument("--resume", action="store_true", help="go on where the same replay was interrupted")
    made.add_argument(
        "--broken", choices=["stop", "skip"], default="stop", help="what to do about a line that is no event"
    )
    made.add_argument("--keep-ids", action="store_true", help="send the file's own ids")
    made.add_argument("--batch", type=int, default=BATCH, help=f"events a request ({BATCH})")
    made.add_argument(KNOWING, dest="knowing", action="store_true", help="send what the project may hold already")
    return made


def speed(text: str) -> float:
    """0 is at once."""
    if text == "max":
        return 0.0
    try:
        if 0 < float(text) < float("inf"):
            return float(text)
    except ValueError:
        pass
    raise argparse.ArgumentTypeError(f"{text} is neither max nor a number above 0")


def run(words: argparse.Namespace) -> int:
    wanted = Wanted(**{name: value for name, value in vars(words).items() if name in Wanted._fields})
    stopping = threading.Event()
    replay = Replay(wanted, environment(), stopping)
    interrupted = interrupts(stopping)
    with Progress(replay.line):
        replay.run()
    print(json.dumps(replay.report(), indent=2))
    print(replay.closing(interrupted=interrupted.is_set()), file=sys.stderr)
    return 130 if interrupted.is_set() else int(not replay.well)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
