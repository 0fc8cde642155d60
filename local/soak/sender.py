"""An application that goes on whatever happens, and keeps a ledger of what it was told."""

import time
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from random import Random
from threading import Event, Thread
from typing import Any
from uuid import UUID

import httpx

from common.incidents.clock import minute_of

SERIES, FEW = 5, 29  # codes at a time, of which the first gets too few errors for an incident
MINUTES_A_CODE = 2  # then others begin
BEHIND = timedelta(minutes=2)
LARGEST = 30  # events a batch
AGAIN = 0.1  # of the batches that were accepted, sent once more
ANSWER_SECONDS = 15
GOOD = (202, 503)


class Ledger:
    """What became of everything that was sent."""

    def __init__(self) -> None:
        self.errors: dict[str, str] = {}  # id -> code, of those that were accepted
        self.order: list[tuple[str, int]] = []  # their codes and minutes, as they were accepted
        self.feedback: set[str] = set()
        self.unanswered = self.sent = 0
        self.answers: Counter[str] = Counter()
        self.wrong: list[str] = []
        self.accepted_at: list[float] = []
        self.slowest = 0.0  # seconds until a 503


class Sender(Thread):
    """Errors carry ids of their own and are sent again until they are accepted, some once more after that; feedback

    gets its ids from ingest and is sent once: what was not answered with 202 may be there or not.
    """

    def __init__(self, where: Callable[[], tuple[str, str]], name: str, seed: int) -> None:
        """`where` is the address of ingest and a project key, as they are now."""
        super().__init__(daemon=True, name=name)
        self.ledger, self.over = Ledger(), Event()
        self._where, self._chance = where, Random(f"{seed}/{name}")  # noqa: S311  it decides what happens in a play
        self._client = httpx.Client(timeout=ANSWER_SECONDS)
        self._began = datetime.now(UTC)
        self._few: Counter[str] = Counter()

    def run(self) -> None:
        with self._client:
            while not self.over.is_set():
                size = self._chance.randint(1, LARGEST)
                (self._send_feedback if self._chance.random() < 0.3 else self._send_errors)(size)
                self.over.wait(self._chance.uniform(0, 0.25))

    def _send_errors(self, size: int) -> None:
        at = datetime.now(UTC) - BEHIND
        ids = [str(UUID(int=self._chance.getrandbits(128), version=4)) for _ in range(size)]
        codes = [self._code() for _ in ids]
        events = [
            event("error", at, event_id=one, attributes={"error_code": code, "route": "/pay"})
            for one, code in zip(ids, codes, strict=True)
        ]
        self._insist(events, ids)
        self.ledger.errors |= zip(ids, codes, strict=True)
        self.ledger.order += [(code, minute_of(at)) for code in codes]
        if self._chance.random() < AGAIN:
            self._insist(events, ids)

    def _insist(self, events: list[dict[str, Any]], ids: list[str]) -> None:
        while (answer := self._post(events)) is None:
            time.sleep(0.2)
        if answer != ids:
            self.ledger.wrong.append(f"202 with other ids than were sent: {answer[:3]}")

    def _code(self) -> str:
        number = self._chance.randrange(SERIES)
        span = (datetime.now(UTC) - self._began) // timedelta(minutes=MINUTES_A_CODE)
        code = f"{self.name}-{span}-{number}"
        self._few[code] += 1
        return code if number or self._few[code] <= FEW else f"{self.name}-{span}-1"

    def _send_feedback(self, size: int) -> None:
        answer = self._post([event("feedback", datetime.now(UTC) - BEHIND)] * size)
        self.ledger.feedback.update(answer or ())
        self.ledger.unanswered += 0 if answer else size

    def _post(self, events: list[dict[str, Any]]) -> list[str] | None:
        """The ids that were accepted; None is anything but a 202."""
        ledger, began = self.ledger, time.monotonic()
        ledger.sent += len(events)
        url, key = self._where()
        try:
            answer = self._client.post(f"{url}/v1/events/batch", json=events, headers={"X-Api-Key": key})
        except httpx.HTTPError as error:
            ledger.answers[type(error).__name__] += 1
            return None
        ledger.answers[str(answer.status_code)] += 1
        if answer.status_code not in GOOD:
            ledger.wrong.append(f"{answer.status_code}: {answer.text[:300]}")
        if answer.status_code != 202:
            ledger.slowest = max(ledger.slowest, time.monotonic() - began)
            return None
        ledger.accepted_at.append(time.monotonic())
        return list(answer.json()["event_ids"])


def event(kind: str, at: datetime, **more: object) -> dict[str, Any]:
    return {"event_type": kind, "message": "m", "occurred_at": at.isoformat(), "environment": "prod", **more}
