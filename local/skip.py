"""`skip`: free a partition that one record has stopped; the record goes to the dead letters with who and why."""

import getpass
import time
from collections.abc import Mapping
from contextlib import closing

from common import settings
from common.clients.postgres import stops
from common.clients.postgres.connection import Connection
from common.errors import Misconfigured
from local import harness, state

WAIT_SECONDS = 15.0
# Lambda's event sources and KafkaSource keep their own counsel of what they try again.
NONE = "No poller tells of any; where a platform's event source feeds the station, read docs/how-to/dead-letters.md."


def main(environ: Mapping[str, str], station: str, partition: int, offset: int, why: str) -> int:
    """Ask for it, and wait until a poller has done it."""
    if not why.strip():
        raise Misconfigured("--why must say why: it is kept with the record.")
    with closing(Connection(settings.read(harness.given_connections(environ) or state.read_env()).database)) as conn:
        how = skip(conn, station, partition, offset, why)
    print(f"skipped: it is among the dead letters now ({why})" if how == "buried" else "not needed: it was answered")
    return 0


def skip(conn: Connection, station: str, partition: int, offset: int, why: str) -> str:
    """How it ended."""
    if not stops.ask(conn, station, partition, offset, getpass.getuser(), why):
        raise Misconfigured(f"No record of {station} is stopped at {partition}/{offset}. {standing(conn)}")
    until = time.monotonic() + WAIT_SECONDS
    while not (how := stops.ended(conn, station, partition, offset)):
        if time.monotonic() > until:
            raise Misconfigured(f"No poller has done it within {WAIT_SECONDS:.0f} s; it will be done once one runs.")
        time.sleep(0.1)
    return how


def standing(conn: Connection) -> str:
    found = [f"{one.station} {one.partition}/{one.offset}: {one.error}" for one in stops.standing(conn)]
    return "Stopped are: " + "; ".join(found) if found else NONE
