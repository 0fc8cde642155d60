"""What the poller does, as its environment says: which stations it feeds with what, and which jobs it wakes.

Stations:  POLLER_STATIONS=indexer=http://127.0.0.1:8081,incident_engine=https://engine.example/run
Clock:     POLLER_SCHEDULES=here                            the jobs run inside this process
           POLLER_SCHEDULES=tick=https://tick.example,…     each is POSTed to, with the internal key
"""

from collections.abc import Callable, Mapping
from urllib.parse import urlsplit

import msgspec

from common import lookup, topics
from common.errors import Misconfigured

HERE = "here"


class Station(msgspec.Struct, frozen=True):
    """A stream function, what it reads, and how much of it at a time. A batch waits `window_seconds` to be full."""

    name: str
    url: str
    topic: str
    group: str
    max_records: int = 1000
    max_bytes: int = 950_000  # of the body as it is sent; the smallest limit of a platform is a megabyte
    timeout_seconds: float = 30
    window_seconds: float = 0


KNOWN = {
    "indexer": Station("indexer", "", topics.RAW, topics.INDEXER),
    "incident_engine": Station("incident_engine", "", topics.RAW, topics.INCIDENT_ENGINE),
    # A notification may mean a model's answer of a minute and a half.
    "ai_worker": Station("ai_worker", "", topics.AI_JOBS, topics.AI_WORKER, max_records=1, timeout_seconds=120),
    # Each batch becomes an object: rather few large ones.
    "archiver": Station("archiver", "", topics.RAW, topics.ARCHIVER, 10_000, 5_000_000, 60, window_seconds=60),
}
SECONDS = {"watch_silence": 10, "resolve_stale": 10, "sweep_jobs": 1, "prune": 3600}
OTHER_SECONDS = 60  # of a schedule by another name, such as a tick that runs them all


class Plan(msgspec.Struct, frozen=True):
    """`schedules` names each job and where it is: an address, or nothing for one that runs in this process."""

    stations: tuple[Station, ...]
    schedules: dict[str, str]
    port: int
    host: str = "127.0.0.1"


def read(environ: Mapping[str, str]) -> Plan:
    """The plan, or one sentence about the first thing that is wrong with it."""
    get = lookup.reader(environ)
    stations = tuple(_station(name, url, get) for name, url in _addresses("POLLER_STATIONS", get).items())
    here = get("POLLER_SCHEDULES") == HERE
    schedules = dict.fromkeys(SECONDS, "") if here else _addresses("POLLER_SCHEDULES", get)
    if not stations and not schedules:
        raise Misconfigured("POLLER_STATIONS and POLLER_SCHEDULES are not set: there is nothing to do.")
    return Plan(stations, schedules, _number("POLLER_PORT", get, 0, 65_535), get("POLLER_HOST"))


def _station(name: str, url: str, get: Callable[[str], str]) -> Station:
    if name not in KNOWN:
        raise Misconfigured(f"POLLER_STATIONS: {name!r} is no station; there are {', '.join(KNOWN)}.")
    limits = {
        "max_records": ("POLLER_MAX_RECORDS", 1, 100_000),
        "max_bytes": ("POLLER_MAX_BYTES", 10_000, 100_000_000),
        "timeout_seconds": ("POLLER_TIMEOUT_SECONDS", 1, 900),
    }
    given = {what: _number(*limit[:1], get, *limit[1:]) for what, limit in limits.items() if get(limit[0])}
    return msgspec.structs.replace(KNOWN[name], url=url, **given)


def _addresses(variable: str, get: Callable[[str], str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for pair in [one.strip() for one in get(variable).split(",") if one.strip()]:
        name, _, url = pair.partition("=")
        if urlsplit(url).scheme not in ("http", "https") or not urlsplit(url).hostname:
            raise Misconfigured(f"{variable}: {pair!r} must read name=http://host:port or name=https://host/path.")
        if name in found:
            raise Misconfigured(f"{variable}: {name} is named twice.")
        found[name] = url
    return found


def _number(name: str, get: Callable[[str], str], low: int, high: int) -> int:
    text = get(name)
    if not text.isdecimal() or not low <= int(text) <= high:
        raise Misconfigured(f"{name} is {text!r}; it must be a whole number from {low} to {high}.")
    return int(text)
