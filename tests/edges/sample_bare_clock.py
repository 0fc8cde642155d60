"""The least clock job."""

from datetime import datetime

from common import edge


def run(now: datetime) -> int:
    return 0


asgi, gcp, aws, main = edge.clock(run)
