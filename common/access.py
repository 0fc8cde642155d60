"""Whose token is it? Remembered for half a minute at most, so that a revoked one dies; whoever guesses must wait."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from math import ceil
from typing import NamedTuple, TypeVar

from common.clients.postgres.tokens import ROLES, Caller, Looked
from common.credentials import ACCESS_TOKEN, PROJECT_KEY, digest, well_formed
from common.errors import Problem

FORGET = 30.0  # seconds
REMEMBERED = 10_000
SHOWN_CHARACTERS = 9  # of a token, in the count of refusals: `sct_` and five more of 33


class Answer(NamedTuple):
    caller: Caller | None
    asked_at: float


T = TypeVar("T")
# A digest, and who is counted if it is unknown; none: do not wait.
LookUp = Callable[[str, Sequence[str]], Awaitable[Looked]]


class Access:
    """The tokens of one process."""

    def __init__(self, look_up: LookUp, clock: Callable[[], float]) -> None:
        self._look_up, self._clock = look_up, clock
        self._answers: dict[str, Answer] = {}
        self._waiting: dict[str, float] = {}  # until when nobody is asked for an address

    async def caller_of(self, headers: Mapping[str, str], address: str, now: datetime) -> Caller:
        """The bearer, or a Problem that says what is wrong."""
        token = token_in(headers)
        return valid(await self._caller(token, address), now)

    async def signed_in(self, known: str, now: datetime) -> Caller:
        """The bearer of a token whose digest we have signed ourselves: that is no guess, so nobody waits for it."""
        answer = self._answers.get(known)
        if answer is None or self._clock() - answer.asked_at >= FORGET:
            asked_at = self._clock()
            looked = await self._look_up(known, ())
            answer = Answer(looked.caller, asked_at)
            self._note(self._answers, known, answer)
        return valid(answer.caller, now)

    async def _caller(self, token: str, address: str) -> Caller | None:
        known = digest(token)
        answer = self._answers.get(known)
        if answer and self._clock() - answer.asked_at < FORGET:
            return answer.caller
        # A token that was good here is no guess, wherever its bearer sits.
        good = answer is not None and answer.caller is not None
        whos = () if good else (f"address:{address[:64]}", f"token:{token[:SHOWN_CHARACTERS]}")
        if not good and (left := self._waiting.get(address, 0.0) - self._clock()) > 0:
            raise slow_down(left)
        asked_at = self._clock()
        looked = await self._look_up(known, whos)
        if looked.wait_seconds > 0:
            self._note(self._waiting, address, asked_at + looked.wait_seconds)
            raise slow_down(looked.wait_seconds)
        self._note(self._answers, known, Answer(looked.caller, asked_at))
        return looked.caller

    def _note(self, notes: dict[str, T], name: str, value: T) -> None:
        if len(notes) >= REMEMBERED:  # a storm of invented tokens; the good ones are soon asked for again
            notes.clear()
        notes[name] = value


def valid(caller: Caller | None, now: datetime) -> Caller:
    if caller is None:
        raise refused("unknown_token", "This access token does not exist or was revoked.")
    if caller.expires_at and caller.expires_at <= now:
        raise refused("expired_token", "This access token has expired.")
    return caller


def address_of(headers: Mapping[str, str], peer: str) -> str:
    """Where it came from: the last hop before us, which the platform itself has added."""
    return headers.get("x-forwarded-for", "").rpartition(",")[2].strip() or peer


def must_be(caller: Caller, role: str) -> None:
    """A responder may do what a viewer may, an admin everything."""
    if ROLES.index(caller.role) < ROLES.index(role):
        detail = f"This needs the role {role}; {caller.name} is {caller.role}."
        raise Problem("not_allowed", detail, status=403)


def token_in(headers: Mapping[str, str]) -> str:
    """The token of Authorization: Bearer; what cannot be one never reaches the database."""
    scheme, _, token = headers.get("authorization", "").partition(" ")
    token = token.strip()
    if scheme.lower() != "bearer" or not token:
        raise refused("missing_token", "Send an access token as Authorization: Bearer.")
    if token.startswith(PROJECT_KEY):
        raise refused("wrong_kind", "This is a project key: it writes events and reads nothing.")
    if not well_formed(token, ACCESS_TOKEN):
        raise refused("malformed_token", "This is no access token: it was mistyped or cut off.")
    return token


def refused(code: str, detail: str) -> Problem:
    return Problem(code, detail, status=401, headers=[("www-authenticate", "Bearer")])


def slow_down(seconds: float) -> Problem:
    left = max(1, ceil(seconds))
    detail = f"Too many unknown tokens came from here; try again in {left} s."
    return Problem("slow_down", detail, status=429, headers=[("retry-after", str(left))])
