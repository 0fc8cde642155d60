"""Every ten seconds: an incident that nothing continued for sixty minutes, in its series' own time, is resolved."""

from datetime import datetime

from common import edge
from common.clients import clockwork, stream
from common.clients.gate import Patience
from common.clients.ids import new_id
from common.clients.postgres import ticking
from common.clients.postgres.database import Database
from common.clients.postgres.states import Loaded
from common.clients.stream import Stream
from common.detection.rules import DROP
from common.incidents.clock import came_late, complete_before
from common.incidents.play import settle
from common.incidents.state import Played

database = Database(1)


def run(now: datetime) -> int:
    return resolve(database, stream.shared(), now, clockwork.PATIENCE)


def resolve(database: Database, stream: Stream, now: datetime, patience: Patience) -> int:
    """Answers how many were resolved."""
    return clockwork.work(database, stream, ticking.stale, lambda one: judge(one, now), now, patience)


def judge(one: Loaded, now: datetime) -> Played | None:
    """A drop that is seen live is judged first, and so is `watch_silence`'s."""
    occurred, received = one.newest_occurred, one.newest_received
    if occurred is None or received is None or (one.rule == DROP and not came_late(occurred, received)):
        return None
    return settle(one.state, complete_before(occurred, received, now), new_id)


asgi, gcp, aws, main = edge.clock(run)
