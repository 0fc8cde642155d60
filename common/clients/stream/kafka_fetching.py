"""What the Kafka library fetches for a reader; told by the thread that reads, and by no other."""

from collections.abc import Iterable, Mapping

from confluent_kafka import Consumer, TopicPartition


class Fetching:
    """The partitions the library was told to fetch, and those of them to hold back."""

    def __init__(self, consumer: Consumer, topic: str) -> None:
        self._consumer, self._topic = consumer, topic
        self.parts: set[int] = set()
        self._held: set[int] = set()

    def begin(self, offsets: Mapping[int, int]) -> None:
        self._consumer.incremental_assign([TopicPartition(self._topic, *one) for one in sorted(offsets.items())])
        self.parts |= offsets.keys()

    def end(self, parts: Iterable[int]) -> None:
        """Said also where none of them is fetched: the group waits for it."""
        gone = self.parts & set(parts)
        self._consumer.incremental_unassign(self.named(gone))
        self.parts -= gone
        self._held -= gone

    def release(self, parts: Iterable[int]) -> None:
        """Before they begin: the library keeps what was held back when they were ours before."""
        self._consumer.resume(self.named(parts))

    def hold(self, parts: set[int]) -> None:
        """These, and no others."""
        parts = parts & self.parts
        if resumed := self._held - parts:
            self._consumer.resume(self.named(resumed))
        if held := parts - self._held:
            self._consumer.pause(self.named(held))
        self._held = parts

    def move(self, part: int, offset: int) -> None:
        """Given back and taken again: the library's own seek refuses a partition that stopped at a wrong offset.

        It stays paused if it was. Nothing may be paused or resumed right after: the library loses one of the two if it
        hears of it while it begins to fetch, and such a partition would stand still for ever.
        """
        where = TopicPartition(self._topic, part, offset)
        self._consumer.incremental_unassign([where])
        self._consumer.incremental_assign([where])

    def named(self, parts: Iterable[int]) -> list[TopicPartition]:
        return [TopicPartition(self._topic, part) for part in sorted(parts)]
