"""Whose key is it? Remembered for half a minute, so that a revoked key dies and a storm of keys stays a few queries."""

import asyncio
from collections.abc import Callable, Mapping
from functools import lru_cache

import msgspec

from common.clients.postgres.keys import Project
from common.credentials import ACCESS_TOKEN, PROJECT_KEY, digest, well_formed
from common.errors import Problem, Unavailable

ASK_AGAIN, FORGET = 20.0, 30.0  # seconds: asked again ahead of time, so that no request waits for it
OUTAGE = 600.0  # how long known keys go on while Postgres does not answer
STILL_DOWN = 5.0  # after a failure nobody waits for the next one, which may take three seconds
PACE, PACE_DOWN = 0.05, 1.0  # from one question to the next; whoever comes meanwhile shares it
REMEMBERED = 10_000

Found = Mapping[str, Project]
LookUp = Callable[[list[str]], Found]
MarkUsed = Callable[[list[str]], object]


class Answer(msgspec.Struct, frozen=True):
    """What Postgres said of a key, and when it was asked."""

    project: Project | None
    asked_at: float


class Access:
    """The keys of one process. One question is under way at a time; whoever comes meanwhile shares the next."""

    def __init__(self, look_up: LookUp, mark_used: MarkUsed, clock: Callable[[], float]) -> None:
        self._look_up, self._mark_used, self._clock = look_up, mark_used, clock
        self._answers: dict[str, Answer] = {}
        self._keys: set[str] = set()  # of the next question
        self._next: asyncio.Task[Found] | None = None
        self._now: asyncio.Task[Found] | None = None
        self._asked_at = self._failed_at = float("-inf")

    def remembered(self, headers: Mapping[str, str]) -> Project | None:
        """The project of a key that need not be asked about just now."""
        answer = self._answers.get(digest_of(key_in(headers)))
        return answer.project if answer and self._clock() - answer.asked_at < ASK_AGAIN else None

    async def project_of(self, headers: Mapping[str, str]) -> Project:
        """The project whose key the caller showed, or a Problem that says what is wrong with it."""
        project = await self._project(digest_of(key_in(headers)))
        if project is None:
            raise refused("unknown_key", "This project key does not exist or was revoked.")
        return project

    async def _project(self, key: str) -> Project | None:
        answer = self._answers.get(key)
        now = self._clock()
        if answer and now - answer.asked_at < FORGET:
            if now - answer.asked_at >= ASK_AGAIN:
                self._ask(key)
            return answer.project
        asked = self._ask(key)
        known = answer.project if answer and now - answer.asked_at < OUTAGE else None
        if known and await self._is_down():
            return known
        try:
            return (await asyncio.shield(asked)).get(key)
        except Unavailable:
            if known:
                return known
            raise

    async def _is_down(self) -> bool:
        """A question under way may say so: whoever is known waits for that one, not for the next one's failure too."""
        if not self._failed_lately() and self._now and not self._now.done():
            await asyncio.wait([self._now])
        return self._failed_lately()

    def _failed_lately(self) -> bool:
        return self._clock() - self._failed_at < STILL_DOWN

    def _ask(self, key: str) -> "asyncio.Task[Found]":
        """The next question. It is put after this call, so its answer is as new as if put for this key alone."""
        self._keys.add(key)
        if self._next is None:
            self._next = asyncio.create_task(self._ask_all(self._now))
            self._next.add_done_callback(seen)
        return self._next

    async def _ask_all(self, before: "asyncio.Task[Found] | None") -> Found:
        if before:
            await asyncio.wait([before])
        pace = PACE if self._asked_at > self._failed_at else PACE_DOWN
        await asyncio.sleep(max(0.0, self._asked_at + pace - self._clock()))
        keys, self._keys = list(self._keys), set()
        self._now, self._next = self._next, None
        self._asked_at = asked_at = self._clock()
        loop = asyncio.get_running_loop()
        try:
            found = await loop.run_in_executor(None, self._look_up, keys)
        except Unavailable:
            self._failed_at = self._clock()
            raise
        self._remember(keys, found, asked_at)
        if found:
            loop.run_in_executor(None, self._mark_used, list(found))  # nobody waits for it
        return found

    def _remember(self, keys: list[str], found: Found, asked_at: float) -> None:
        if len(self._answers) + len(keys) > REMEMBERED:  # a storm of invented keys: keep those that are real
            self._answers = {key: answer for key, answer in self._answers.items() if answer.project}
        for key in keys:
            self._answers[key] = Answer(found.get(key), asked_at)


def seen(task: "asyncio.Task[Found]") -> None:
    """Its failure is told to whoever waits for it; there may be nobody, and that is no warning."""
    if not task.cancelled():
        task.exception()


def key_in(headers: Mapping[str, str]) -> str:
    """What was sent as X-Api-Key, or as Authorization: Bearer."""
    key = headers.get("x-api-key", "").strip()
    if not key and headers.get("authorization", "")[:7].lower() == "bearer ":
        key = headers["authorization"][7:].strip()
    return key


@lru_cache(maxsize=1024)  # checksum and digest are a tenth of a request's work
def digest_of(key: str) -> str:
    """What is stored of this key; what cannot be one never reaches the database."""
    if not key:
        raise refused("missing_key", "Send the project key in X-Api-Key, or as Authorization: Bearer.")
    if key.startswith(ACCESS_TOKEN):
        raise refused("wrong_kind", "This is an access token; events are written with a project key.")
    if not well_formed(key, PROJECT_KEY):
        raise refused("malformed_key", "This is no project key: it was mistyped or cut off.")
    return digest(key)


def refused(code: str, detail: str) -> Problem:
    return Problem(code, detail, status=401, headers=[("www-authenticate", "Bearer")])
