"""Reading from Kafka as a member of a consumer group; the broker fences a member by the group's generation."""

import threading
import time
from collections import deque
from collections.abc import Mapping

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from common.clients.stream import Fenced, Overtaken, Recreated
from common.clients.stream.kafka_config import ANSWER_SECONDS, Said, config, reason
from common.clients.stream.kafka_fetching import Fetching
from common.clients.stream.kafka_pulse import Pulse
from common.clients.stream.kafka_record import record_of
from common.edge.records import Record
from common.settings import Kafka

SETTINGS = {
    "enable.auto.commit": False,
    "enable.auto.offset.store": False,
    "auto.offset.reset": "error",  # where retention overtook us we say so, and do not jump
    "partition.assignment.strategy": "cooperative-sticky",
    "session.timeout.ms": 6000,
    "heartbeat.interval.ms": 1000,
    "max.poll.interval.ms": 30_000,
    "socket.timeout.ms": 6000,
    "queued.max.messages.kbytes": 16 * 1024,
}
FENCED = (
    KafkaError.ILLEGAL_GENERATION,
    KafkaError.UNKNOWN_MEMBER_ID,
    KafkaError.FENCED_INSTANCE_ID,
    KafkaError._ASSIGNMENT_LOST,
    KafkaError._STATE,
)


class Share:
    """A partition that is ours: what the library has given us and we have not passed on, and where we are in it."""

    def __init__(self, position: int) -> None:
        self.next = self.read = self.committed = position
        self.waiting: deque[Record] = deque()
        self.paused = False
        self.sought: int | None = None  # told to the library by the thread that reads, so that it knows what is stale
        self.wrong: Exception | None = None


class KafkaReader:
    """A member of a group, with a consumer of its own.

    The library lets nobody else in while it consumes, and what it calls from there waits for our lock. So whoever else
    asks for something leaves it in a share, and the thread that reads tells the library, without the lock.
    """

    def __init__(self, settings: Kafka, topic: str, group: str) -> None:
        self._topic, self._group, self._said = topic, group, Said(settings)
        self._shares: dict[int, Share] = {}
        self._unplaced: set[int] = set()  # ours by the group's word, but where to begin is not looked up yet
        self._lock = threading.Lock()  # of what is above
        self._polling, self._committing = threading.Lock(), threading.Lock()
        self._failed: KafkaError | None = None
        self._answers: dict[tuple[tuple[int, int], ...], KafkaError | None] = {}
        self._turn = 0
        own = SETTINGS | {"group.id": group, "on_commit": self._committed}
        self._consumer = Consumer(config(settings, self._said) | own)
        self._consumer.subscribe([topic], on_assign=self._assign, on_revoke=self._revoke, on_lost=self._revoke)
        self._fetching = Fetching(self._consumer, topic)
        self._pulse = Pulse()

    def read(self, max_records: int, max_bytes: int, timeout: float) -> list[Record]:
        until, wait = time.monotonic() + timeout, 0.0
        while True:
            self._start_over_if_frozen()
            with self._polling:
                self._gather(max_records, wait)  # also when enough is here already: it proves this member alive
            if records := self._give(max_records, max_bytes):
                return records
            self._complain()
            wait = until - time.monotonic()
            if wait <= 0:
                return []
            if not self._shares:
                wait = min(wait, 0.05)  # the library does not come back early to say that we were given some

    def commit(self, offsets: Mapping[int, int]) -> None:
        self._start_over_if_frozen()
        with self._lock:
            ours = {part: offset for part, offset in offsets.items() if self._may_commit(part, offset)}
        if ours:
            with self._committing:
                self._commit(ours)
        with self._lock:
            for part in ours.keys() & self._shares.keys():
                self._shares[part].committed = ours[part]
        if lost := set(offsets) - set(ours):
            raise Fenced(lost)

    def assigned(self) -> dict[int, int]:
        self._start_over_if_frozen()
        with self._lock:
            return {part: share.next for part, share in self._shares.items()}

    def pause(self, partition: int) -> None:
        self._change(partition, paused=True)

    def resume(self, partition: int) -> None:
        self._change(partition, paused=False)

    def seek(self, partition: int, offset: int) -> None:
        with self._lock:
            if share := self._shares.get(partition):
                share.waiting.clear()
                share.next = share.sought = offset
                share.wrong = None

    def close(self) -> None:
        self._pulse.stop()
        self._consumer.close()

    def _change(self, partition: int, paused: bool) -> None:
        """Nothing, if the partition is not ours: whoever has it decides."""
        with self._lock:
            if share := self._shares.get(partition):
                share.paused = paused

    def _gather(self, max_records: int, wait: float) -> None:
        """Take over what the library has, waiting only for the first record.

        What the group says is heard before anything is placed: it may have taken away what is to be placed. And while
        nothing can be placed, since no broker answers, this proves the member alive.
        """
        self._tell()
        with self._lock:
            room = max_records - sum(len(share.waiting) for share in self._shares.values() if not share.paused)
        try:
            messages = self._consumer.consume(1, wait)
            if messages and room > 1:
                messages += self._consumer.consume(room - 1, 0)
        except KafkaException as error:
            raise self._said.unavailable(reason(error)) from error
        for message in messages:
            self._keep(message)
        self._place()

    def _tell(self) -> None:
        """What was asked for since: to hold back, to go on, to go to another offset."""
        with self._lock:
            paused = {part for part, share in self._shares.items() if share.paused}
            moves = {part: share.sought for part, share in self._shares.items() if share.sought is not None}
            for part in moves:
                self._shares[part].sought = None
        self._fetching.hold(paused)
        for part, offset in moves.items():
            self._fetching.move(part, offset)

    def _keep(self, message: Message) -> None:
        part, offset, error = message.partition() or 0, message.offset() or 0, message.error()
        share = self._shares.get(part)
        if error and error.code() == KafkaError._AUTO_OFFSET_RESET:
            if share:
                share.wrong = self._why(share, part, offset)
        elif error:
            self._failed = error
        elif share and share.sought is None:
            share.waiting.append(record_of(self._topic, message))

    def _give(self, max_records: int, max_bytes: int) -> list[Record]:
        """As much of what waits as the limits allow, at least one; who comes first changes."""
        records: list[Record] = []
        size = 0
        with self._lock:
            ready = [share for share in self._shares.values() if not share.paused]
            for share in ready:
                if share.wrong and not share.waiting:
                    raise share.wrong.with_traceback(None)
            self._turn += 1
            turn = self._turn % max(1, len(ready))
            for share in ready[turn:] + ready[:turn]:
                while share.waiting:
                    size += len(share.waiting[0].key or b"") + len(share.waiting[0].value or b"")
                    if records and (len(records) == max_records or size > max_bytes):
                        return records
                    records.append(share.waiting.popleft())
                    share.next = records[-1].offset + 1
                    share.read = max(share.read, share.next)
        return records

    def _complain(self) -> None:
        """Nothing came; if that is because nothing can, say so."""
        self._said.renew(self._consumer)
        failed, self._failed = self._failed, None
        if failed or self._said.alarmed():
            raise self._said.unavailable(failed.str() if failed else "no broker can be reached")

    def _why(self, share: Share, part: int, position: int) -> Exception | None:
        """An offset the broker does not have: deleted, or of a topic that is no more."""
        low, high = self._ends(part)
        if position < low:
            return Overtaken(part, position, low)
        if position > high:
            reset = f"--group {self._group} --topic {self._topic}:{part} --reset-offsets --to-earliest --execute"
            return Recreated(part, position, high, f"kafka-consumer-groups.sh {reset}")
        share.sought = position  # it is there by now
        return None

    def _may_commit(self, part: int, offset: int) -> bool:
        """The broker checks that we are in the group, not what is ours in it; and an older commit never wins."""
        share = self._shares.get(part)
        return share is not None and share.committed <= offset <= share.read

    def _commit(self, offsets: dict[int, int]) -> None:
        """The library's own waiting has no end while the group's coordinator is away; this one has."""
        asked = tuple(sorted(offsets.items()))
        self._answers.clear()
        self._consumer.commit(offsets=[TopicPartition(self._topic, *one) for one in asked], asynchronous=True)
        until = time.monotonic() + ANSWER_SECONDS
        while asked not in self._answers:
            if time.monotonic() > until:
                raise self._said.unavailable("a commit was not answered")
            # The answer comes to whoever polls: the thread that reads, or else this one.
            if self._polling.acquire(timeout=0.01):
                try:
                    self._gather(1, 0.002)
                finally:
                    self._polling.release()
        error = self._answers[asked]
        if error and error.code() in FENCED:
            raise Fenced(offsets)
        if error:
            raise self._said.unavailable(error.str())

    def _committed(self, error: KafkaError | None, parts: list[TopicPartition]) -> None:
        error = error or next((one.error for one in parts if one.error), None)
        self._answers[tuple(sorted((one.partition, one.offset) for one in parts))] = error

    def _start_over_if_frozen(self) -> None:
        """Others may have had our partitions meanwhile: what was read before counts no more."""
        with self._lock:
            if self._pulse.missed():
                self._unplaced |= set(self._shares)
                self._shares.clear()

    def _assign(self, consumer: Consumer, parts: list[TopicPartition]) -> None:
        """Nothing is fetched until it is known where to begin; the questions would wait behind the fetches."""
        with self._lock:
            self._unplaced |= {one.partition for one in parts}
        consumer.incremental_assign([])

    def _revoke(self, _: Consumer, parts: list[TopicPartition]) -> None:
        gone = {one.partition for one in parts}
        with self._lock:
            for part in gone:
                self._shares.pop(part, None)
            self._unplaced -= gone
        self._fetching.end(gone)

    def _place(self) -> None:
        """Begin at what is committed; at the oldest record, if nothing is. What we gave up is let go first."""
        with self._lock:
            given_up, asked = self._fetching.parts - self._shares.keys(), set(self._unplaced)
        if given_up:
            self._fetching.end(given_up)
        if not asked:
            return
        self._fetching.release(asked)
        try:
            found = self._consumer.committed(self._fetching.named(asked), timeout=ANSWER_SECONDS)
            begin = {one.partition: one.offset if one.offset >= 0 else self._ends(one.partition)[0] for one in found}
        except KafkaException as error:
            raise self._said.unavailable(reason(error)) from error
        self._fetching.begin(begin)
        with self._lock:
            self._shares |= {part: Share(offset) for part, offset in begin.items()}
            self._unplaced -= begin.keys()

    def _ends(self, part: int) -> tuple[int, int]:
        try:
            low, high = self._consumer.get_watermark_offsets(TopicPartition(self._topic, part), timeout=ANSWER_SECONDS)
        except KafkaException as error:
            if error.args[0].code() == KafkaError._UNKNOWN_PARTITION:
                # What a broker said while it came up, the library believes until it is made to ask for the topic again.
                self._consumer.list_topics(self._topic, ANSWER_SECONDS)
            raise
        return low, high
