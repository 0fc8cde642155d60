"""All partitions that are ours, and which of their records go together into a request. No clock, no world."""

from collections.abc import Iterable, Iterator

from common.edge.records import Record
from local.poller import batch
from local.poller.lane import Lane
from local.poller.stations import Station

# Read at once, if there is so much: a row of the log in Postgres is opened as a whole, however little of it is wanted.
AHEAD_RECORDS, AHEAD_BYTES = 4000, 4_000_000


class Lanes:
    def __init__(self, station: Station) -> None:
        self._lanes: dict[int, Lane] = {}
        self._max_records = station.max_records
        # Of one partition's records; every further partition in a request takes its overhead from it.
        self._overhead = batch.overhead(station.topic)
        self._max_size = station.max_bytes - batch.FRAME - self._overhead
        self._most_records = max(AHEAD_RECORDS, station.max_records)
        self._most_bytes = max(AHEAD_BYTES, station.max_bytes)
        self._turn = 0
        self.gathering_since = 0.0

    def __iter__(self) -> Iterator[Lane]:
        """A copy, so that another thread may look."""
        return iter(list(self._lanes.values()))

    def get(self, partition: int) -> Lane | None:
        return self._lanes.get(partition)

    def keep(self, records: Iterable[Record], now: float) -> None:
        if not self._ready(now)[0]:
            self.gathering_since = now
        for record in records:
            lane = self._lanes.get(record.partition)
            # An offset we have had means that the partition left and came back: all from there on comes again.
            if lane is None or record.offset < lane.expected:
                if lane:
                    lane.end()
                lane = self._lanes[record.partition] = Lane(record.partition, record.offset)
            lane.add(batch.item(record))

    def forget(self, lane: Lane) -> None:
        del self._lanes[lane.partition]

    def healthy(self, now: float) -> list[Lane]:
        """Those that travel together."""
        return [lane for lane in self._lanes.values() if not lane.suspects and lane.not_before <= now]

    def room(self, now: float) -> tuple[int, int]:
        """How many records and bytes may be read."""
        records, size = self._ready(now)
        return self._most_records - records, self._most_bytes - size

    def full(self, now: float) -> bool:
        """Whether the next request of the healthy would be full."""
        records, size = self._ready(now)
        return records >= self._max_records or size >= self._max_size

    def hungry(self, now: float) -> bool:
        """Whether to read: not for a few records, while there are enough for the next request."""
        records, size = self.room(now)
        return not self.full(now) or (records * 2 >= self._most_records and size * 2 >= self._most_bytes)

    def too_large(self, lane: Lane) -> bool:
        """Whether its first record alone is more than a request may hold."""
        return lane.waiting[0].size > self._max_size

    def own(self, lane: Lane) -> int:
        """How many of a suspect's records go next, by themselves."""
        return batch.fitting(lane.waiting, min(lane.step, self._max_records), self._max_size)

    def together(self, now: float) -> dict[Lane, int]:
        """What goes next of all healthy ones; who comes first changes, so that none is always left out."""
        self._turn += 1
        lanes = [lane for lane in self.healthy(now) if lane.job is None]
        turn = self._turn % max(1, len(lanes))
        records, size = self._max_records, self._max_size
        parts: dict[Lane, int] = {}
        for lane in lanes[turn:] + lanes[:turn]:
            count = batch.fitting(lane.waiting, records, size)
            if count:
                parts[lane] = count
                records -= count
                size -= sum(one.size for one, _ in zip(lane.waiting, range(count), strict=False)) + self._overhead
        return parts

    def _ready(self, now: float) -> tuple[int, int]:
        """Records and bytes of the healthy that are in no request."""
        lanes = self.healthy(now)
        records = sum(len(lane.waiting) - lane.under_way for lane in lanes)
        return records, sum(lane.size - lane.under_way_size for lane in lanes)
