"""The incident engine with a bug: an event that says `poison` kills its process, until the file `mended` is there."""

import os
from pathlib import Path

from common import edge
from common.clients.stream import dead
from common.edge.records import Record, Refused
from functions.incident_engine import main

HOME = Path(os.environ["PROBE"])


def handle(records: list[Record]) -> list[Refused]:
    if any(b"poison" in (one.value or b"") for one in records) and not (HOME / "mended").exists():
        os._exit(9)
    return main.handle(records)


asgi, gcp, aws, main_ = edge.stream(handle, dead.bury_for("incident_engine"), topic=os.environ["PROBE_TOPIC"])
