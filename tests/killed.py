"""A whole stack while somebody kills its parts: what was accepted is counted once and searchable, and nothing else is.

`python -m tests.killed --n 10` does it ten times on each stack, each with a seed that is printed.
"""

import argparse
import json
import os
import signal
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from threading import Event, Thread
from typing import Any
from uuid import UUID

import httpx

from common import lookup, settings
from common.clients.postgres.connection import Connection
from common.clients.search import ask, search_for
from common.errors import Unavailable
from common.incidents.clock import minute_of
from local.checkout import Checkout
from local.soak.reference import Reference
from tests import servers
from tests.streams import wait_for

PARTS = {
    "embedded": ("incident_engine", "indexer", "poller", "postgres"),
    "native": ("incident_engine", "indexer", "poller", "postgres", "kafka"),
}
SERIES, FEW = 5, 29  # the first gets too few errors for an incident
COUNTED = "SELECT event_type, sum(value)::int FROM activity GROUP BY event_type"
INCIDENTS = """
    SELECT error_code, event_count, peak, severity, status,
           (SELECT count(*) FROM ai_jobs WHERE incident_id = incidents.id) FROM incidents ORDER BY error_code
"""


class Sender(Thread):
    """Posts until it is stopped. Errors carry ids of their own and are sent again until they are accepted; feedback
    gets its ids here, and is sent once: what was not answered may be there or not.
    """

    def __init__(self, env: dict[str, str], seed: int) -> None:
        super().__init__(daemon=True)
        self._url = f"{env['INGEST_API_URL']}/v1/events/batch"
        self._client = httpx.Client(timeout=15, headers={"X-Api-Key": env["PROJECT_API_KEY"]})
        self._chance, self.over = Random(seed), Event()
        self.at = datetime.now(UTC) - timedelta(minutes=2)
        self.errors: dict[str, str] = {}  # id -> code
        self.feedback: set[str] = set()
        self.unanswered = self._few = 0
        self.refusals = 0

    def run(self) -> None:
        with self._client:
            while not self.over.is_set():
                size = self._chance.randint(1, 30)
                (self._send_feedback if self._chance.random() < 0.3 else self._send_errors)(size)

    def _send_errors(self, size: int) -> None:
        ids = [str(UUID(int=self._chance.getrandbits(128), version=4)) for _ in range(size)]
        codes = {one: self._code() for one in ids}
        events = [
            self._event("error", event_id=one, attributes={"error_code": code, "route": "/pay"})
            for one, code in codes.items()
        ]
        while (answer := self._post(events)) is None:
            self.over.wait(0.2)
        assert answer == ids
        self.errors |= codes

    def _code(self) -> str:
        number = self._chance.randrange(SERIES)
        self._few += number == 0
        return f"E{number}" if number or self._few <= FEW else "E1"

    def _send_feedback(self, size: int) -> None:
        answer = self._post([self._event("feedback")] * size)
        self.feedback.update(answer or ())
        self.unanswered += 0 if answer else size

    def _event(self, kind: str, **more: object) -> dict[str, Any]:
        return {"event_type": kind, "message": "m", "occurred_at": self.at.isoformat(), "environment": "prod", **more}

    def _post(self, events: list[dict[str, Any]]) -> list[str] | None:
        """The ids that were accepted; None is anything but a 202."""
        try:
            answer = self._client.post(self._url, json=events)
        except httpx.HTTPError:
            return None
        if answer.status_code == 202:
            return list(answer.json()["event_ids"])
        assert answer.status_code >= 500, answer.text
        self.refusals += 1
        return None


class Played:
    """One stack, from `make up` to what it has made of everything."""

    def __init__(self, stack: str, seed: int) -> None:
        self.stack, self._seed, self._chance = stack, seed, Random(seed)
        self.checkout = Checkout(servers.home())

    def start(self) -> None:
        """Without the archive, which nobody asks anything here."""
        done = self.checkout.make("up", STACK=self.stack, S3_BUCKET="")
        assert done.returncode == 0, done.stdout + done.stderr
        self.env = self.checkout.env()
        self.sender = Sender(self.env, self._seed)

    def kill_all(self) -> list[str]:
        """Each part once, in any order, while events flow; the next when the one before has been started again."""
        victims = list(PARTS[self.stack])
        self._chance.shuffle(victims)
        self.sender.start()
        for name in victims:
            time.sleep(self._chance.uniform(0.2, 1.0))
            pid = self._pid(name)
            os.killpg(pid, signal.SIGKILL)
            wait_for(lambda old=pid, part=name: self._pid(part) not in (0, old), 40)  # type: ignore[misc]
        time.sleep(1)
        self.sender.over.set()
        self.sender.join(60)
        assert not self.sender.is_alive()
        return victims

    def wait_until_drained(self) -> None:
        def drained() -> bool:
            try:
                stations = httpx.get(f"http://127.0.0.1:{self.env['POLLER_PORT']}/lag").json()["stations"].values()
            except (httpx.HTTPError, KeyError):
                return False
            return all(one["partitions"] and one["lag"] == 0 and not one["stopped"] for one in stations)

        wait_for(drained, 90)

    def check(self) -> None:
        sent = self.sender
        self._check_counts(Counter(sent.errors.values()), len(sent.errors), len(sent.feedback))
        wait_for(lambda: sent.feedback <= self._searchable("feedback"), 20)  # an index shows what it has a second later
        wait_for(lambda: set(sent.errors) <= self._searchable("error"), 20)
        assert self._searchable("error") == set(sent.errors)
        assert len(self._searchable("feedback")) <= len(sent.feedback) + sent.unanswered

    def _check_counts(self, series: Counter[str], errors: int, feedback: int) -> None:
        with self._database() as conn:
            counted = {row[0]: row[1] for row in conn.run(COUNTED)}
            incidents = conn.run(INCIDENTS)
        assert counted["error"] == errors
        assert feedback <= counted["feedback"] <= feedback + self.sender.unanswered
        expected = [row for code, count in sorted(series.items()) for row in modelled(code, count, self.sender.at)]
        assert incidents == expected

    def _searchable(self, kind: str) -> set[str]:
        """The ids, of whom none is there twice."""
        search, found = search_for(settings.read(self._connections())), list[str]()
        cursor: str | None = ""
        while cursor is not None:
            page = search.find(ask("demo", event_type=kind), limit=500, cursor=cursor or None)
            found += [one["event_id"] for one in page.events]
            cursor = page.next
        search.close()
        assert len(found) == len(set(found))
        return set(found)

    def _connections(self) -> dict[str, str]:
        return {name: value for name, value in self.env.items() if name in lookup.NAMES}

    @contextmanager
    def _database(self) -> Iterator[Connection]:
        conn = Connection(settings.read(self._connections()).database)
        yield conn
        conn.close()

    def _pid(self, name: str) -> int:
        """0: it is being started."""
        notes = [self.checkout.root / ".local" / folder / f"{name}.pid" for folder in ("run", name)]
        return next((read(note) for note in notes if note.exists()), 0)


def read(note: Path) -> int:
    try:
        return int(json.loads(note.read_text())["pid"])
    except (OSError, ValueError):
        return 0


def modelled(code: str, count: int, at: datetime) -> list[list[Any]]:
    """What one series becomes, one event at a time; an incident has one AI job."""
    reference = Reference("error")
    for _ in range(count):
        reference.event(minute_of(at))
    reference.recount()
    return [[code, one["number"], one["peak"], one["severity"], one["status"], 1] for one in reference.incidents]


def play(stack: str, seed: int) -> str:
    """One sentence about what was survived; an AssertionError if anything is lost or doubled."""
    played = Played(stack, seed)
    try:
        played.start()
        victims = played.kill_all()
        played.wait_until_drained()
        played.check()
    finally:
        played.checkout.remove()
    sent = played.sender
    counts = f"{len(sent.errors)} errors and {len(sent.feedback)} others accepted, {sent.refusals} requests refused"
    return f"{stack}, seed {seed}: killed {', '.join(victims)}; {counts}, {sent.unanswered} events unanswered"


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--n", type=int, default=1)
    options.add_argument("--seed", type=int, default=time.time_ns() % 1_000_000)
    chosen = options.parse_args()
    wrong = 0
    try:
        for seed in range(chosen.seed, chosen.seed + chosen.n):
            for stack in PARTS:
                try:
                    print(play(stack, seed), flush=True)
                except (AssertionError, Unavailable) as error:
                    wrong += 1
                    print(f"{stack}, seed {seed}: {str(error)[:600]}", flush=True)
    finally:
        servers.stop_all()
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
