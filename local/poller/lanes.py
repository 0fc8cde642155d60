"""All partitions that are ours, and which of their records go together into a request. No clock, no world."""

from collections.abc import Iterable, Iterator

from common.edge.records import Record
from local.poller import batch
from local.poller.lane import Lane
from local.poller.stations import Station


class Lanes:
    def __init__(self, station: Station) -> None:
        self._lanes: dict[int, Lane] = {}
        self._max_records = station.max_records
        # Of one partition's records; every further partition in a request takes its overhead from it.
        self._overhead = batch.overhead(station.topic)
        self._max_size = station.max_bytes - batch.FRAME - self._overhead
        self._turn = 0
        self.gathering_since = 0.0

    def __iter__(self) -> Iterator[Lane]:
        """A copy, so that another thread may look."""
        return iter(list(self._lanes.values()))

    def get(self, partition: int) -> Lane | None:
        return self._lanes.get(partition)

    def keep(self, records: Iterable[Record], now: float) -> None:
        if self._nothing_free(now):
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
        """How many records and bytes the next request of the healthy would still hold."""
        lanes = self.healthy(now)
        records = sum(len(lane.waiting) - lane.under_way for lane in lanes)
        size = sum(lane.size - lane.under_way_size for lane in lanes)
        return self._max_records - records, self._max_size - size

    def full(self, now: float) -> bool:
        records, size = self.room(now)
        return records <= 0 or size <= 0

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

    def _nothing_free(self, now: float) -> bool:
        return all(len(lane.waiting) == lane.under_way for lane in self.healthy(now))
