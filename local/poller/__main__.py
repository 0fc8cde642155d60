"""`python -m local.poller`: feeds stations from the stream and runs the clock, as the environment says.

It needs the connection variables, INTERNAL_KEY as the stations have it, and POLLER_STATIONS or POLLER_SCHEDULES; see
local/poller/stations.py. Several may run: they share the partitions. It stops cleanly on SIGTERM and SIGINT; it ends
with 2 and one sentence when its settings are wrong, and with 1 when something in it broke: start it again then.
"""

import os
import signal
import sys
import threading

from common import settings
from common.clients.postgres.database import Database
from common.clients.stream import stream_for
from common.edge.keys import PLATFORM
from common.errors import Misconfigured
from local.poller import clock, report, stations
from local.poller.feeder import Feeder
from local.poller.pace import Pace
from local.poller.stations import Plan
from local.poller.stopped import Stopped


def main() -> int:
    try:
        where = settings.current()  # first: it knows every variable, and so a misspelt one
        return run(stations.read(os.environ), where)
    except Misconfigured as wrong:
        print(f"poller: {wrong}", file=sys.stderr)
        return 2


def run(plan: Plan, where: settings.Settings, times: Pace | None = None) -> int:
    """Everything in threads, until a signal or the end of one of them."""
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    stream, key = stream_for(where), key_to_show(where)
    stopped = Stopped(Database(1, lambda: where.database), times)
    feeders = [
        Feeder(station, stream, stopped, stopping, key=key, poison_tries=where.poison_tries, times=times)
        for station in plan.stations
    ]
    told = report.Report(stream, feeders, Database(1, lambda: where.database))
    if plan.port:
        report.serve(told, plan.host, plan.port)
    threads = [threading.Thread(target=feeder.run, name=feeder.station.name) for feeder in feeders]
    for thread in threads:
        thread.start()
    clock.start(plan.schedules, key, stopping)
    threading.Thread(target=told.say_every_minute, args=(stopping,), daemon=True).start()
    stopping.wait()
    for thread in threads:
        thread.join()
    stopped.close()
    stream.close()
    return verdict(feeders)


def verdict(feeders: list[Feeder]) -> int:
    for feeder in feeders:
        if feeder.wrong:
            raise feeder.wrong
    return 0 if all(feeder.left for feeder in feeders) else 1


def key_to_show(where: settings.Settings) -> str:
    """The first: while it is being changed, stations take the old one and the new."""
    return next((key for key in where.internal_keys if key != PLATFORM), "")


if __name__ == "__main__":
    sys.exit(main())
