"""status, health, logs, kafka-topics, db-stats: see what is going on, and change nothing."""

import sys
import time
from collections import deque
from pathlib import Path
from typing import Any

import httpx
import psutil

from common import settings
from common.clients.postgres.connection import Connection
from common.errors import Misconfigured
from common.topics import TOPICS
from local import parts, state

SIZES = """
    SELECT c.relname, pg_size_pretty(pg_total_relation_size(c.oid)), s.n_live_tup, s.n_dead_tup
      FROM pg_class c JOIN pg_stat_user_tables s ON s.relid = c.oid
     ORDER BY pg_total_relation_size(c.oid) DESC
"""
SESSIONS = (
    "SELECT count(*), current_setting('max_connections') FROM pg_stat_activity WHERE datname = current_database()"
)


def status() -> int:
    """Part by part: alive or not, where or how far behind, and its share of memory (shared pages counted once)."""
    account, env = state.recall("running"), state.read_env()
    if not state.running() or not account:
        print("not running (make emulate, or make up)")
        return 1
    said = {part.name: env.get(part.address, "") for part in parts.FUNCTIONS} | lags(env)
    total = 0
    for name, pid in {"harness": account["pid"], **account["parts"]}.items():
        size = memory(pid, children=name != "harness")  # the harness's children are the other parts
        state_word = "up" if psutil.pid_exists(pid) else "down"
        total += size
        print(f"  {name:<14} {state_word:<5} {size / 1024**2:6.0f} MB  pid {pid:<8} {said.get(name, '')}")
    print(f"  {'together':<14} {'':<5} {total / 1024**2:6.0f} MB of proportional set size")
    return 0


def memory(pid: int, *, children: bool) -> int:
    """Proportional set size where the system tells it, else resident size; with its children if they are part of it."""
    size = 0
    try:
        root = psutil.Process(pid)
        for process in [root, *(root.children(recursive=True) if children else ())]:
            full = process.memory_full_info()
            size += getattr(full, "pss", full.rss)
    except psutil.Error:
        pass  # it ended while we looked
    return size


def health() -> int:
    """Ask every function that answers people, and the poller of the others; non-zero unless all say yes."""
    env, bad = state.read_env(), 0
    if not env:
        raise Misconfigured("Nothing was ever started here: make emulate.")
    asked = {part.name: env[part.address] for part in parts.PUBLIC if part.exists}
    for name, address in (asked | {parts.POLLER: f"http://127.0.0.1:{env['POLLER_PORT']}"}).items():
        answer = ask(f"{address}/health")
        bad += not answer.startswith("ok")
        print(f"  {name:<14} {answer}")
    for name, said in lags(env).items():
        print(f"  {name:<14} {said}")
    return 1 if bad else 0


def lags(env: dict[str, str]) -> dict[str, str]:
    """How far each station is behind, as its poller says; nothing, if that does not answer."""
    try:
        told = httpx.get(f"http://127.0.0.1:{env['POLLER_PORT']}/lag", timeout=10).json()["stations"]
    except (httpx.HTTPError, KeyError, ValueError):
        return {}
    return {name: lag(station) for name, station in told.items()}


def lag(station: dict[str, Any]) -> str:
    """In all, and partition by partition where there is any; and what stands still."""
    if station["lag"] is None:
        return "lag unknown: the stream does not answer"
    behind = [f"{part}: {one['lag']}" for part, one in station["partitions"].items() if one["lag"]]
    stopped = [f"partition {one['partition']} is stopped: {one['error']}" for one in station["stopped"]]
    waits = [f"waits for {what}: {why}" for what, why in station["waits_for"].items()]
    return "; ".join([f"lag {station['lag']}" + (f" ({', '.join(behind)})" if behind else ""), *stopped, *waits])


def ask(url: str) -> str:
    try:
        answer = httpx.get(url, timeout=5)
    except httpx.HTTPError as error:
        return f"no answer: {error}"
    return f"ok {answer.text.strip()}" if answer.is_success else f"{answer.status_code} {answer.text.strip()}"


def logs(names: list[str], *, follow: bool, lines: int) -> int:
    """The last lines of each log, and what comes after if asked to follow."""
    found = [path for path in log_files() if not names or path.stem in names]
    if not found:
        have = ", ".join(path.stem for path in log_files()) or "none yet"
        raise Misconfigured(f"No log of {', '.join(names) or 'anything'}; there is: {have}.")
    seen = {path: show(path, from_end=lines) for path in found}
    while follow:
        time.sleep(0.5)
        seen = {path: show(path, offset) for path, offset in seen.items()}
    return 0


def log_files() -> list[Path]:
    return sorted(state.HOME.glob("*/*.log"))


def show(path: Path, offset: int = 0, *, from_end: int | None = None) -> int:
    """Print what the log holds from here on; answers where it ended."""
    with path.open("rb") as file:
        if offset > path.stat().st_size:  # it was turned over meanwhile
            offset = 0
        file.seek(offset)
        for line in deque(file, from_end):
            sys.stdout.write(f"{path.stem:<12} {line.decode(errors='replace').rstrip()}\n")
        sys.stdout.flush()
        return file.tell()


def db_stats() -> int:
    """The tables by size, and how many sessions are open."""
    conn = Connection(settings.read(state.read_env()).database)
    for name, size, live, dead in conn.run(SIZES):
        print(f"  {name:<28} {size:>10}  {live:>10} rows  {dead:>8} dead")
    [[open_now, most]] = conn.run(SESSIONS)
    print(f"  {open_now} of at most {most} connections are open")
    conn.close()
    return 0


def topics() -> int:
    """Each topic of the stream, on whichever engine: its partitions and how many records they hold."""
    from common.clients.stream import stream_for

    stream = stream_for(settings.read(state.read_env()))
    for topic in TOPICS:
        ends = stream.ends(topic)
        held = sum(high - low for low, high in ends.values())
        print(f"  {topic:<20} {len(ends):>3} partitions  {held:>10} records")
        for partition, (low, high) in sorted(ends.items()):
            print(f"  {'':<20} {partition:>3} from {low} to {high}")
    return 0
