"""Lambda's event source for Kafka on this machine: batches of six megabytes, tried again for ever, bisected.

As ours are set up: ReportBatchItemFailures, bisecting, MaximumRetryAttempts -1 and no on-failure destination.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from local.hosts.aws import Outcome

BATCH_BYTES = 6 * 1024 * 1024
Item = dict[str, Any]  # one record of the event


class Stuck(Exception):
    """A record that fails whenever it is alone: its partition waits for a person."""


class EventSource:
    """One partition group's poller. `invoke` is the function; a try that fails is told to `tried`, which may wait."""

    def __init__(
        self,
        invoke: Callable[[Any], Outcome],
        tried: Callable[[int], None],
        *,
        batch_size: int = 1000,
        patience: int = 50,
    ) -> None:
        self.invoke, self.tried, self.batch_size, self.patience = invoke, tried, batch_size, patience
        self.tries = 0

    def feed(self, items: Sequence[Item]) -> None:
        """Every record is answered when this returns."""
        for batch in cut(items, self.batch_size):
            self._until_done(batch)

    def _until_done(self, batch: Sequence[Item]) -> None:
        while batch:
            outcome = self.invoke({"eventSource": "SelfManagedKafka", "records": grouped(batch)})
            if outcome.error is None:
                left = remaining(batch, outcome.result["batchItemFailures"])
                if not left:
                    return
                batch = left
            elif len(batch) > 1:
                half = len(batch) // 2
                self._until_done(batch[:half])
                batch = batch[half:]
                continue
            self._again(batch)

    def _again(self, batch: Sequence[Item]) -> None:
        self.tries += 1
        if self.tries > self.patience:
            raise Stuck(f"{batch[0]['topic']}-{batch[0]['partition']} at {batch[0]['offset']}")
        self.tried(self.tries)


def cut(items: Sequence[Item], most: int) -> Iterator[list[Item]]:
    """Batches within both limits."""
    batch: list[Item] = []
    size = 0
    for item in items:
        length = len(json.dumps(item))
        if batch and (len(batch) == most or size + length > BATCH_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(item)
        size += length
    if batch:
        yield batch


def grouped(batch: Sequence[Item]) -> dict[str, list[Item]]:
    groups: dict[str, list[Item]] = {}
    for item in batch:
        groups.setdefault(place(item), []).append(item)
    return groups


def remaining(batch: Sequence[Item], failures: Sequence[Any]) -> list[Item]:
    """From the lowest offset that failed in each partition on; the identifiers are AWS's composite ones."""
    first: dict[str, int] = {}
    for failure in failures:
        partition, offset = failure["itemIdentifier"]["partition"], failure["itemIdentifier"]["offset"]
        first[partition] = min(offset, first.get(partition, offset))
    return [item for item in batch if place(item) in first and item["offset"] >= first[place(item)]]


def place(item: Item) -> str:
    return f"{item['topic']}-{item['partition']}"
