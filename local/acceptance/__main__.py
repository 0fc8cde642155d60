"""`make acceptance STACK=embedded|native|compose|server`: walks the list, and says what was expected and what was seen.

It starts the stack if none runs here, ends parts of it, and restarts it with another clock; at the end it is as it was
found. It ends with 0 only if every check of every scenario held; a scenario that could not run has failed. The report
is JSON in .local/acceptance.json.

  DURATION=600      seconds of the spike (20)
  OUTAGE=30         seconds for which the broker is down (30)
  ONLY=spike,drop   these scenarios alone
  PATIENCE=45       seconds to wait for what is a matter of one (45)
"""

import argparse
import json
import os
import sys
from datetime import UTC, datetime
from pathlib import Path

from common.errors import Misconfigured
from local.acceptance.run import Run
from local.acceptance.scenarios import SCENARIOS
from local.sending.target import ENV

REPORT = ENV.parent / "acceptance.json"


def main(arguments: list[str]) -> int:
    made = argparse.ArgumentParser(
        prog="acceptance", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    made.add_argument("--report", type=Path, default=REPORT, help="where the JSON report goes")
    words = made.parse_args(arguments)
    names = [name for name in os.environ.get("ONLY", "").split(",") if name]
    if unknown := set(names) - {one.name for one in SCENARIOS}:
        print(
            f"acceptance: no scenario {', '.join(unknown)}: {', '.join(one.name for one in SCENARIOS)}", file=sys.stderr
        )
        return 2
    chosen = [one for one in SCENARIOS if not names or one.name in names]
    run, began = Run(os.environ.get("STACK") or "embedded", chosen), datetime.now(UTC)
    try:
        run.walk()
    except Misconfigured as error:
        print(f"acceptance: {error}", file=sys.stderr)
        return 2
    finally:
        words.report.write_text(json.dumps({"began": began.isoformat(), **run.report()}, indent=2) + "\n")
    print(f"{run.verdict()}; the report is {words.report}")
    return int(not run.well)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
