"""A poller as a process, for tests to kill: `python -m tests.poller PLAN` with one station and its pace as JSON."""

import json
import sys

import msgspec

from common import settings
from local.poller.__main__ import run
from local.poller.pace import Pace
from local.poller.stations import Plan, Station

if __name__ == "__main__":
    given = json.loads(sys.argv[1])
    station, times = msgspec.convert(given["station"], Station), msgspec.convert(given["times"], Pace)
    sys.exit(run(Plan((station,), {}, 0), settings.current(), times))
