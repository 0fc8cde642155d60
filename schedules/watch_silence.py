"""Every ten seconds: signups that dried up are seen although no event comes any more, and drops that are over end."""

from datetime import datetime

from common import edge
from common.clients import clockwork, stream
from common.clients.gate import Patience
from common.clients.ids import new_id
from common.clients.postgres import ticking
from common.clients.postgres.database import Database
from common.clients.postgres.states import Loaded
from common.clients.stream import Stream
from common.incidents.clock import came_late, complete_before, may_be_silent
from common.incidents.play import tick
from common.incidents.state import Played

database = Database(1)


def run(now: datetime) -> int:
    return watch(database, stream.shared(), now, clockwork.PATIENCE)


def watch(database: Database, stream: Stream, now: datetime, patience: Patience) -> int:
    """Judge the minutes that are complete by `now`; answers how many series that changed."""
    return clockwork.work(database, stream, ticking.silent, lambda one: judge(one, now), now, patience)


def judge(one: Loaded, now: datetime) -> Played | None:
    """As its row says now, under the lock; what came since the gate was asked is newer than `now`."""
    occurred, received = one.newest_occurred, one.newest_received
    if occurred is None or received is None or came_late(occurred, received) or not may_be_silent(one.state):
        return None
    return tick(one.state, complete_before(occurred, received, now), new_id)


asgi, gcp, aws, main = edge.clock(run)
