"""Brings batches to ingest: again with the same ids until they are taken, refused, or too old; waits when told to."""

import threading
import time
from collections.abc import Sequence
from random import Random
from typing import Any

import msgspec

from local.poller.post import Address, BrokenOff, Reply, Unreachable
from local.sending.tally import Tally
from local.sending.target import Target
from local.sending.verdict import Verdict, judge

ANSWER_SECONDS = 10.0
GIVE_UP_SECONDS = 120.0
FIRST_WAIT, LONGEST_WAIT = 0.2, 5.0
MOST_BYTES = 1024 * 1024  # what ingest takes in one request, unless it is told otherwise
SLICE = 0.5  # of a wait, so that whoever is told to stop does


class Courier:
    """Used by any number of threads; a Retry-After holds up all of them, for it is about the project."""

    def __init__(
        self, target: Target, tally: Tally, stopping: threading.Event, *, give_up: float = GIVE_UP_SECONDS
    ) -> None:
        self.tally, self.stopping, self.give_up = tally, stopping, give_up
        self.hopeless = ""
        self._address = Address(f"{target.url}/v1/events/batch", target.key, ANSWER_SECONDS, key_in="x-api-key")
        self._not_before = 0.0
        self._chance = Random()  # noqa: S311  it spreads retries

    def deliver(self, events: Sequence[dict[str, Any]], due: float) -> bool:
        """True if all were answered for good. `due` is when they should have left, on the monotonic clock."""
        self.tally.sent(len(events), time.monotonic())
        return self._delivered(events, due)

    def _delivered(self, events: Sequence[dict[str, Any]], due: float) -> bool:
        body, ids, tries = msgspec.json.encode(events), [event["event_id"] for event in events], 0
        if len(body) > MOST_BYTES and len(events) > 1:
            return self._halved(events, due)
        while self._wait(self._not_before):
            verdict, wait = self._try(body, ids, tries)
            if verdict.halve:
                return self._halved(events, due)
            if not verdict.again:
                self._settle(verdict, time.monotonic() - due)
                return True
            if time.monotonic() + wait - due > self.give_up:
                break
            tries += 1
            self.tally.add(retries=1)
            if not self._wait(time.monotonic() + wait):
                break
        self.tally.add(given_up=len(ids))
        return False

    def _halved(self, events: Sequence[dict[str, Any]], due: float) -> bool:
        """Too large for one request: in two, the second only after the first, for their order counts."""
        middle = len(events) // 2
        if self._delivered(events[:middle], due):
            return self._delivered(events[middle:], due)
        self.tally.add(given_up=len(events) - middle)
        return False

    def close(self) -> None:
        self._address.close()

    def _try(self, body: bytes, ids: list[str], tries: int) -> tuple[Verdict, float]:
        """The verdict, and how long to wait if it says: again."""
        self.tally.add(requests=1)
        wait = min(LONGEST_WAIT, FIRST_WAIT * 2.0**tries) * self._chance.uniform(0.5, 1)
        try:
            reply = self._address.post(body)
        except (Unreachable, BrokenOff) as error:
            kind = "unreachable" if isinstance(error, Unreachable) else "broke off"
            self.tally.error(kind)
            return Verdict(again=True), wait
        verdict = judge(reply, ids)
        for kind, count in verdict.kinds:
            self.tally.error(kind, count)
        if verdict.again and (told := retry_after(reply)):
            self._not_before = max(self._not_before, time.monotonic() + told)
            return verdict, told
        return verdict, wait

    def _settle(self, verdict: Verdict, seconds: float) -> None:
        if verdict.hopeless:
            self.hopeless = verdict.hopeless
            self.stopping.set()
        if verdict.wrong:
            self.tally.answered_wrongly(verdict.wrong)
        self.tally.answered(verdict.accepted, verdict.refused, seconds)

    def _wait(self, until: float) -> bool:
        """False if it was told to stop meanwhile."""
        while (left := until - time.monotonic()) > 0:
            if self.stopping.wait(min(left, SLICE)):
                return False
        return True


def retry_after(reply: Reply) -> float:
    """Seconds; ours are never dates."""
    return float(reply.retry_after) if reply.retry_after.isdecimal() else 0.0
