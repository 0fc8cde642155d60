"""Two clock jobs in one tick; a file named by FAIL_FILE makes the first fail."""

import json
import os
import sys
from datetime import datetime
from pathlib import Path

from common import edge
from common.errors import Unavailable


def first(now: datetime) -> int:
    trouble = Path(os.environ["FAIL_FILE"])
    kind = trouble.read_text() if trouble.exists() else ""
    if kind == "unavailable":
        raise Unavailable("Postgres", retry_after=7)
    if kind:
        raise KeyError(kind)
    return 2


def second(now: datetime) -> int:
    print(json.dumps({"second": now.isoformat()}), file=sys.stderr, flush=True)
    return 3


asgi, gcp, aws, main = edge.clock(first, second)
