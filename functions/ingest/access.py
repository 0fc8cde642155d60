"""Whose key is it? Remembered for half a minute, so that a revoked key dies and a storm of keys stays a few queries."""

import asyncio
from collections.abc import Callable, Mapping

import msgspec

from common.clients.postgres.keys import Project
from common.credentials import ACCESS_TOKEN, PROJECT_KEY, digest, well_formed
from common.errors import Problem, Unavailable

ASK_AGAIN, FORGET = 20.0, 30.0  # seconds: asked again ahead of time, so that no request waits for it
OUTAGE = 600.0  # how long known keys go on while Postgres does not answer
REMEMBERED = 10_000

LookUp = Callable[[list[str]], Mapping[str, Project]]


class Answer(msgspec.Struct, frozen=True):
    """What Postgres said of a key, and when it was asked."""

    project: Project | None
    asked_at: float


class Access:
    """The keys of one process. One question is under way at a time; whoever comes meanwhile shares the next."""

    def __init__(self, look_up: LookUp, clock: Callable[[], float]) -> None:
        self._look_up, self._clock = look_up, clock
        self._answers: dict[str, Answer] = {}
        self._waiting: dict[str, asyncio.Future[Project | None]] = {}
        self._asking: asyncio.Task[None] | None = None
        self._down = False

    async def project_of(self, headers: Mapping[str, str]) -> Project:
        """The project whose key the caller showed, or a Problem that says what is wrong with it."""
        project = await self._project(digest(key_in(headers)))
        if project is None:
            raise Problem("unknown_key", "This project key does not exist or was revoked.", status=401)
        return project

    async def _project(self, key: str) -> Project | None:
        answer = self._answers.get(key)
        age = self._clock() - answer.asked_at if answer else OUTAGE
        if answer and (age < FORGET or (self._down and answer.project and age < OUTAGE)):
            if age >= ASK_AGAIN:
                self._ask(key)
            return answer.project
        try:
            return await asyncio.shield(self._ask(key))
        except Unavailable:
            if answer and answer.project and age < OUTAGE:
                return answer.project
            raise

    def _ask(self, key: str) -> "asyncio.Future[Project | None]":
        if key not in self._waiting:
            self._waiting[key] = asyncio.get_running_loop().create_future()
            self._waiting[key].add_done_callback(asyncio.Future.exception)  # nobody may be waiting for it
        if self._asking is None or self._asking.done():
            self._asking = asyncio.create_task(self._ask_all())
        return self._waiting[key]

    async def _ask_all(self) -> None:
        while self._waiting:
            asked, self._waiting = self._waiting, {}
            began = self._clock()
            try:
                found = await asyncio.get_running_loop().run_in_executor(None, self._look_up, list(asked))
            except Unavailable as error:
                self._down = True
                for future in asked.values():
                    future.set_exception(error)
                continue
            self._down = False
            self._remember(asked, found, began)

    def _remember(
        self, asked: Mapping[str, "asyncio.Future[Project | None]"], found: Mapping[str, Project], began: float
    ) -> None:
        if len(self._answers) + len(asked) > REMEMBERED:  # a storm of invented keys: keep those that are real
            self._answers = {key: answer for key, answer in self._answers.items() if answer.project}
        for key, future in asked.items():
            self._answers[key] = Answer(found.get(key), began)
            future.set_result(found.get(key))


def key_in(headers: Mapping[str, str]) -> str:
    """The key of X-Api-Key or of Authorization: Bearer; what cannot be one never reaches the database."""
    key = headers.get("x-api-key", "").strip()
    if not key and headers.get("authorization", "")[:7].lower() == "bearer ":
        key = headers["authorization"][7:].strip()
    if not key:
        raise Problem("missing_key", "Send the project key in X-Api-Key, or as Authorization: Bearer.", status=401)
    if key.startswith(ACCESS_TOKEN):
        raise Problem("wrong_kind", "This is an access token; events are written with a project key.", status=401)
    if not well_formed(key, PROJECT_KEY):
        raise Problem("malformed_key", "This is no project key: it was mistyped or cut off.", status=401)
    return key
