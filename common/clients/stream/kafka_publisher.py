"""Publishing to Kafka: idempotent, acknowledged by all replicas; a call is answered with its last record."""

import os
import threading
import time
from collections import deque
from collections.abc import Sequence

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from common.clients.stream import MAX_DEAD_BYTES, Item, check_sizes, no_such_topic
from common.clients.stream.kafka_config import UNKNOWN_TOPIC, Said, config, reason
from common.clients.stream.pending import Pending, end
from common.errors import Unavailable
from common.settings import Kafka

# The library gives a record up after the first, and looks about once a second; then we stop waiting for it.
TIMEOUT_MS, GIVE_UP_SECONDS = 3000, 4.3
SETTINGS = {
    "enable.idempotence": True,
    "acks": "all",
    "partitioner": "consistent",  # CRC32, as `partition_of` has it
    "linger.ms": 2,
    "message.timeout.ms": TIMEOUT_MS,
    "topic.metadata.propagation.max.ms": 1000,  # how long a topic nobody made may still turn up
    "message.max.bytes": MAX_DEAD_BYTES + 64 * 1024,  # of any topic; each has its own limit beside it
    "queue.buffering.max.kbytes": 64 * 1024,
}
# A producer of the parent process must not be taken apart in the child: its threads are not there to be joined.
_parents: "list[object]" = []


class Call(Pending):
    __slots__ = ("left", "since", "topic", "worst")

    def __init__(self, topic: str, records: int, since: float) -> None:
        super().__init__()
        self.topic, self.left, self.since = topic, records, since
        self.worst: KafkaError | None = None


class Publisher:
    """One producer per process, made when first used, and a new one after one that hung."""

    def __init__(self, settings: Kafka) -> None:
        self._settings = settings
        self._line: Line | None
        self._begin()

    def publish(self, topic: str, items: Sequence[Item]) -> Pending:
        if os.getpid() != self._pid:
            _parents.append(self._line)
            self._begin()
        check_sizes(topic, items)
        with self._lock:
            if self._line is None or self._line.ended:
                self._line = Line(self._settings)
            line = self._line
        return line.send(topic, items)

    def close(self) -> None:
        if self._line and os.getpid() == self._pid:
            self._line.close()

    def _begin(self) -> None:
        self._pid = os.getpid()
        self._lock = threading.Lock()
        self._line = None


class Line:
    """A producer and the thread that hears its answers."""

    def __init__(self, settings: Kafka) -> None:
        self.ended = False
        self._said = Said(settings)
        self._producer = Producer(config(settings, self._said) | SETTINGS)
        self._calls: deque[Call] = deque()
        self._finished: list[Call] = []
        self._thread = threading.Thread(target=self._run, name="deliveries", daemon=True)
        self._thread.start()

    def send(self, topic: str, items: Sequence[Item]) -> Call:
        call = Call(topic, len(items), time.monotonic())
        if not items:
            end([call])
            return call

        def delivered(error: KafkaError | None, _: Message) -> None:
            call.worst = error or call.worst
            call.left -= 1
            if call.left == 0:
                self._finished.append(call)

        self._calls.append(call)
        try:
            for key, value in items:
                self._producer.produce(topic, value, key, on_delivery=delivered)
        except BufferError as error:
            raise self._refused(call, "too much waits to be delivered already") from error
        except KafkaException as error:
            self.ended = True  # it has given itself up; the next call makes another
            raise self._refused(call, reason(error)) from error
        return call

    def close(self) -> None:
        """Wait for what is on its way, no longer than its callers do."""
        self.ended = True
        self._thread.join(GIVE_UP_SECONDS)

    def _refused(self, call: Call, why: str) -> Unavailable:
        error = self._said.unavailable(why)
        end([call], error)
        return error

    def _run(self) -> None:
        while self._calls or not self.ended:
            self._producer.poll(0.1 if self._calls else 0.5)
            self._said.renew(self._producer)
            self._answer()
            self._give_up(time.monotonic() - GIVE_UP_SECONDS)

    def _answer(self) -> None:
        finished, self._finished = self._finished, []
        end([call for call in finished if call.worst is None])
        for call in finished:
            if call.worst is not None:
                unknown = call.worst.code() in UNKNOWN_TOPIC
                end([call], no_such_topic(call.topic) if unknown else self._said.unavailable(call.worst.str()))

    def _give_up(self, before: float) -> None:
        """A call without an answer for so long means a producer that hangs: nobody uses it any more."""
        while self._calls and (self._calls[0].done or self._calls[0].since < before):
            call = self._calls.popleft()
            if not call.done:
                end([call], self._said.unavailable("no answer"))
                self.ended = True
                self._producer.purge()
