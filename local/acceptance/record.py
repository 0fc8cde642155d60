"""No heavy queries, by the database's own record: while an incident opens, Postgres writes every statement down.

Who sent it is told by the port it came from. The text of a statement is read with its quoted values taken out.
"""

import re
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

import psutil

from common import settings
from common.clients.postgres.connection import Connection
from common.errors import Misconfigured, Unavailable
from local import stacks, state
from local.acceptance.alarms import RATE
from local.acceptance.check import Checks, CouldNot, between, equal, settled
from local.acceptance.system import System
from local.servers.postgres import OWNER, PostgresServer

SECONDS = 6.0
LONGEST_MS = 1000.0  # of any statement of anybody
PREFIX = "%m [%p] %r|"
ENTRY = re.compile(r"^\d{4}-\d\d-\d\d [\d:.]+ \w+ \[\d+\] \S*?\((\d+)\)\|(\w+):  (.*)$")
DURATION = re.compile(r"duration: ([\d.]+) ms  (?:statement|execute [^:]*): (.*)", re.DOTALL)
QUOTED = re.compile(r"'(?:[^']|'')*'")
READ = re.compile(r"\b(?:FROM|JOIN)\s+(?:ONLY\s+)?([a-z_][a-z0-9_]*)", re.IGNORECASE)
RAW = re.compile(r"^(events|stream_log)")
RANGE = re.compile(r"\bminute\s*(?:BETWEEN|[<>]=?|=)", re.IGNORECASE)


class Statement(NamedTuple):
    port: int
    milliseconds: float
    text: str

    @property
    def tables(self) -> set[str]:
        """That it reads."""
        return {name.lower() for name in READ.findall(self.text)}


def queries(system: System) -> Checks:
    to = system.project("queries")
    with recorded(system) as seen:
        report = system.loadgen("spike_errors", to, rate=5 * RATE, seconds=SECONDS)
        spikes = report["plan"]["events"] // 2
        counted = settled(lambda: sum(one["event_count"] for one in system.incidents(to)), spikes)
    yield equal("errors that were counted meanwhile", spikes, counted)
    engine = [one for one in seen.statements if one.port in seen.ports]
    yield between("statements of the engine in the record", 1, float("inf"), len(engine))
    raw = sorted({name for one in engine for name in one.tables if RAW.match(name)})
    yield equal("raw events it reads", [], raw)
    buckets = [one for one in engine if "buckets" in one.tables]
    unbounded = [one.text[:200] for one in buckets if not RANGE.search(one.text)]
    yield equal("statements that read buckets without a range of minutes", [], unbounded)
    yield between("statements that read ranges of buckets", 1, float("inf"), len(buckets) - len(unbounded))
    slowest = max((one.milliseconds for one in seen.statements), default=0.0)
    yield between("milliseconds of the slowest statement of all", 0, LONGEST_MS, slowest)


class Seen:
    def __init__(self) -> None:
        self.ports: set[int] = set()
        self.statements: list[Statement] = []


@contextmanager
def recorded(system: System) -> Iterator[Seen]:
    """Postgres is told to write down everything, for as long as this lasts."""
    seen, over = Seen(), threading.Event()
    watcher = threading.Thread(target=watch, args=(system, seen, over), daemon=True)
    owner = connect(system)
    before = len(log_of(system))
    tell(owner, "SET log_line_prefix = '" + PREFIX + "'", "SET log_min_duration_statement = 0")
    watcher.start()
    try:
        yield seen
    finally:
        tell(owner, "RESET log_min_duration_statement", "RESET log_line_prefix")
        owner.close()
        over.set()
        watcher.join()
    seen.statements = statements(log_of(system)[before:])


def connect(system: System) -> Connection:
    """As who may tell Postgres what to write down."""
    try:
        if system.stack == "compose":
            return Connection(settings.read(system.env).database)
        port = settings.read(system.env).database.port
        return PostgresServer(state.HOME / "postgres", port).connect(OWNER)
    except (Unavailable, Misconfigured, OSError) as error:
        raise CouldNot(f"nobody may ask this Postgres for its record: {error}") from error


def tell(owner: Connection, *changes: str) -> None:
    for change in changes:
        owner.simple(f"ALTER SYSTEM {change}")
    owner.simple("SELECT pg_reload_conf()")


def log_of(system: System) -> str:
    if system.stack != "compose":
        return Path(state.HOME / "postgres" / "postgres.log").read_text(errors="replace")
    words = ["docker", "compose", "logs", "--no-log-prefix", "postgres"]
    environ = {"SIGNALS_PG_PASSWORD": stacks.compose_password(), "PATH": "/usr/bin:/usr/local/bin:/bin"}
    return subprocess.run(words, cwd=state.ROOT, env=environ, capture_output=True, text=True, check=True).stdout


def watch(system: System, seen: Seen, over: threading.Event) -> None:
    """From which ports the engine speaks to Postgres; a connection may be a new one at any time."""
    engine = system.part("incident_engine")
    while not over.wait(0.05):
        with suppress(psutil.Error):
            for process in [engine, *engine.children(recursive=True)]:
                seen.ports |= {one.laddr.port for one in process.net_connections("tcp") if one.raddr}


def statements(log: str) -> list[Statement]:
    """Each with the lines that belong to it."""
    found: list[tuple[int, str]] = []
    for line in log.splitlines():
        if entry := ENTRY.match(line):
            found.append((int(entry[1]), entry[3] if entry[2] == "LOG" else ""))
        elif found:
            found[-1] = (found[-1][0], f"{found[-1][1]}\n{line}")
    timed = [(port, DURATION.match(text)) for port, text in found]
    return [Statement(port, float(one[1]), QUOTED.sub("''", one[2])) for port, one in timed if one]
