"""The clock: each job at its interval, in this process or at an address; none waits for another."""

import importlib.util
import threading
from collections.abc import Callable, Mapping
from importlib import import_module

from common import log
from common.edge.ticks import Ticks
from common.edge.values import Request
from local.poller import pace, stations
from local.poller.post import Address, BrokenOff, Unreachable

LONGEST_SECONDS = 60.0
ANSWER_SECONDS = 120.0
Wake = Callable[[], bool]  # whether it went well; if not, the job's own line has said why


def start(schedules: Mapping[str, str], key: str, stopping: threading.Event) -> list[threading.Thread]:
    """A thread a job, so that one that waits, or takes its time, delays no other."""
    threads = []
    for name, url in schedules.items():
        wake = at_address(name, url, key) if url else here(name)
        if wake:
            words = (wake, stations.SECONDS.get(name, stations.OTHER_SECONDS), stopping)
            threads.append(threading.Thread(target=keep_waking, args=words, name=name, daemon=True))
    for thread in threads:
        thread.start()
    return threads


def keep_waking(wake: Wake, seconds: float, stopping: threading.Event) -> None:
    """After a failure the next tick tries again, a little later each time."""
    failures = 0
    while not stopping.wait(max(seconds, pace.doubled(seconds, failures, LONGEST_SECONDS))):
        failures = 0 if wake() else failures + 1


def here(name: str) -> Wake | None:
    """The job of schedules/ by this name; None while there is no such job."""
    if importlib.util.find_spec("schedules") is None or importlib.util.find_spec(f"schedules.{name}") is None:
        return None
    ticks = Ticks("poller", (import_module(f"schedules.{name}").run,))
    return lambda: ticks.over_http(Request("POST", "/")).status < 400


def at_address(name: str, url: str, key: str) -> Wake:
    address = Address(url, key, ANSWER_SECONDS)

    def wake() -> bool:
        try:
            status = address.post(b"{}").status
            said = f"it answered {status}"
        except (Unreachable, BrokenOff) as error:
            status, said = 0, str(error)
        if not 200 <= status < 300:
            log.write("warn", "poller: a schedule failed", schedule=name, error=said)
        return 200 <= status < 300

    return wake
