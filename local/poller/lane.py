"""One partition that is ours: what was read and is not answered yet, and what is suspected of it. No clock, no world.

A failure narrows it down. After a batch of several partitions each is tried alone; after a failure alone, half of it;
`suspects` is how many records at the front are known to hold a guilty one. Where one is left, its tries are counted.
"""

from __future__ import annotations

from collections import deque
from itertools import islice
from typing import TYPE_CHECKING

from local.poller.batch import Item

if TYPE_CHECKING:
    from local.poller.job import Job


class Lane:
    def __init__(self, partition: int, offset: int) -> None:
        self.partition = partition
        self.waiting: deque[Item] = deque()
        self.size = 0  # bytes that wait
        self.came_at = self.expected = self.done = self.committed = offset
        self.job: Job | None = None  # the request its first records are in; any other's answer is not heard
        self.under_way = self.under_way_size = 0
        self.suspects = self.step = 0
        self.tries = 0
        self.again = 0  # how often the station itself asked to have its first record again
        self.not_before = 0.0
        self.stopped = self.paused = False
        self.error = ""

    @property
    def first(self) -> int:
        """The offset of the record that comes next."""
        return self.waiting[0].record.offset

    def peek(self) -> Item | None:
        """The same record, or None; another thread may ask while this one takes it away."""
        try:
            return self.waiting[0]
        except IndexError:
            return None

    def add(self, one: Item) -> None:
        self.waiting.append(one)
        self.size += one.size
        self.expected = one.record.offset + 1

    def begin(self, job: Job, count: int) -> None:
        self.job, self.under_way = job, count
        self.under_way_size = sum(one.size for one in islice(self.waiting, count))

    def end(self) -> None:
        self.job, self.under_way, self.under_way_size = None, 0, 0

    def answered(self, count: int) -> None:
        """So many from the front are done with, and what is left of the suspects holds the guilty one."""
        for _ in range(count):
            one = self.waiting.popleft()
            self.size -= one.size
            self.done = one.record.offset + 1
        self.suspects = max(0, self.suspects - count)
        self.step = max(1, self.suspects // 2)
        self.tries = self.again = 0
        self.stopped = False
        self.error = ""

    def broke(self, count: int, why: str, poison_tries: int, *, shared: bool) -> None:
        """So many from the front were in a batch that failed; `shared`: others were in it too."""
        self.error = why
        self.suspects = count
        self.step = count if shared else max(1, count // 2)
        if count == 1 and not shared:
            self.tries += 1
            self.stopped = self.tries >= poison_tries
