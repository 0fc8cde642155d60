"""After a topic was made anew: have the incident engine begin at its first record. `python -m local.anew --yes`

Only where the engine says so. On a topic that is still the same one, everything in it would be counted twice.
"""

import argparse
import sys

from common import settings, topics
from common.clients.postgres import progress
from common.clients.postgres.connection import Connection
from common.clients.postgres.progress import Source
from common.clients.stream import stream_for
from common.errors import Misconfigured, Unavailable


def forget(conn: Connection, stream: str) -> int:
    return progress.forget(conn, Source(topics.INCIDENT_ENGINE, stream, topics.RAW))


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--yes", action="store_true", required=True, help="it was made anew, and meant to be")
    options.parse_args()
    try:
        conn, stream = Connection(settings.current().database), stream_for(settings.current())
        print(f"{forget(conn, stream.name)} partitions of {topics.RAW} are counted from their first record")
        stream.close()
        conn.close()
    except (Misconfigured, Unavailable) as error:
        print(f"anew: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
