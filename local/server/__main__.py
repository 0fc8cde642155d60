"""`python -m local.server`: one server. Every function, the poller and the clock under one small supervisor.

It needs DATABASE_URL; the rest has defaults. It migrates before it serves, starts again what ends, and stops on SIGTERM
with every request answered. Ports are those of local/parts.py, on SERVER_HOST or loopback; INTERNAL_KEY is made up for
this run if it is not set, since nobody else calls the stations.
"""

import sys

from common.errors import Misconfigured, Unavailable
from local.server.supervisor import Supervisor, plan

if __name__ == "__main__":
    try:
        sys.exit(Supervisor(*plan()).run())
    except (Misconfigured, Unavailable) as wrong:
        print(f"server: {wrong}", file=sys.stderr)
        sys.exit(2)
