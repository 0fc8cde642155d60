"""What stands now, for the metrics: how far stations are behind, what waits, and for how long."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from common import topics
from common.clients.postgres import ai
from common.clients.postgres.database import Database
from common.clients.stream import Stream
from common.edge import clocks
from common.errors import Misconfigured, Unavailable
from common.metrics import names
from common.metrics.kinds import Gauge
from local.poller.feeder import Feeder

Standing = dict[Gauge, dict[tuple[str, ...], float]]


def standing(stream: Stream, feeders: Sequence[Feeder], database: Database) -> Standing:
    """What a store that is away would tell is left out: an old number would look like a good one."""
    now = clocks.now()
    found = of_stations(feeders, now)
    try:
        ends = {topic: stream.ends(topic) for topic in {topics.DLQ, *(one.station.topic for one in feeders)}}
        found[names.LAG] = {
            (one.station.name,): sum(behind(one.positions(), ends[one.station.topic]).values()) for one in feeders
        }
        found[names.DEAD_KEPT] = {(): sum(high - low for low, high in ends[topics.DLQ].values())}
    except (Unavailable, Misconfigured):
        pass
    try:
        with database.connection() as conn:
            waiting = ai.everywhere(conn, now)
    except (Unavailable, Misconfigured):
        return found
    found[names.JOBS] = {("queued",): waiting.queued, ("running",): waiting.running}
    found[names.JOB_AGE] = {(): waiting.oldest_seconds}
    return found


def of_stations(feeders: Sequence[Feeder], now: datetime) -> Standing:
    return {
        names.LAG_SECONDS: {(one.station.name,): age(one.oldest(), now) for one in feeders},
        names.STOPPED: {(one.station.name,): len(one.troubles()) for one in feeders},
        names.AWAY: {(one.station.name,): int(bool(one.waits_for())) for one in feeders},
    }


def behind(positions: Mapping[int, int], ends: Mapping[int, tuple[int, int]]) -> dict[int, int]:
    """By partition, the records that are not answered yet."""
    return {
        partition: max(0, ends[partition][1] - max(position, ends[partition][0]))
        for partition, position in positions.items()
        if partition in ends
    }


def age(milliseconds: int | None, now: datetime) -> float:
    return 0.0 if milliseconds is None else round(max(0.0, now.timestamp() - milliseconds / 1000), 3)
