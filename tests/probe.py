"""A stream function for tests of the poller: it writes down what it gets, and fails as records or files tell it to.

A record's value is JSON; `do` may be crash, hang, bug, refuse. In the folder PROBE the file `mended` turns that off,
`down` makes the world go away, `slow` holds so many seconds a batch takes.
"""

import json
import os
import time
from pathlib import Path

from common import edge
from common.clients.stream import dead
from common.edge.records import Record, Refused
from common.errors import Unavailable

HOME = Path(os.environ["PROBE"])


def handle(records: list[Record]) -> list[Refused]:
    batch = [(one.partition, one.offset, json.loads(one.value or b"{}")) for one in records]
    write("got", batch)
    if (HOME / "slow").exists():
        time.sleep(float((HOME / "slow").read_text()))
    if (HOME / "down").exists():
        raise Unavailable("Postgres", retry_after=1)
    wants = {value.get("do") for _, _, value in batch} if not (HOME / "mended").exists() else set()
    if "crash" in wants:
        os._exit(9)
    if "hang" in wants:
        time.sleep(30)
    if "bug" in wants:
        raise KeyError("a bug")
    write("did", batch)
    return [Refused(one, "not_wanted", "it says so") for one in records if b"refuse" in (one.value or b"")]


def write(what: str, batch: list[tuple[int, int, object]]) -> None:
    line = json.dumps({"what": what, "batch": batch, "at": time.time()}).encode() + b"\n"
    file = os.open(HOME / "journal", os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(file, line)
    os.close(file)


asgi, gcp, aws, main = edge.stream(handle, dead.bury_for("probe"), topic=os.environ["PROBE_TOPIC"])
