"""How many events a minute a project may send: instances take tenths of it from one row, and refuse when it is gone.

A batch is taken or refused whole, and as long as anything is left it is taken; what was too much is owed to the row. So
the overshoot is at most a batch and a tenth per instance.
"""

import asyncio
from collections.abc import Callable
from math import ceil

from common.clients.postgres.keys import Project, Taken
from common.errors import Problem, Unavailable

ANSWER_SECONDS = 1.0  # what a request may wait for the row
STILL_DOWN = 5.0  # after a failure, nobody asks for so long
MINUTE = 60.0

Take = Callable[[str, int], Taken]  # project, wanted
Headers = list[tuple[str, str]]


class Share:
    """What this instance holds of a project's minute. Below zero, it is owed to the row."""

    def __init__(self) -> None:
        self.left = self.gone = 0
        self.ends = float("-inf")
        self.lock = asyncio.Lock()


class Allowances:
    def __init__(self, take: Take, clock: Callable[[], float]) -> None:
        self._take, self._clock = take, clock
        self._shares: dict[str, Share] = {}
        self._failed_at = float("-inf")

    async def admit(self, project: Project, events: int) -> Headers:
        """The rate limit fields of the answer; a Problem with Retry-After if this minute is used up."""
        limit = project.events_per_minute
        if limit is None:
            return []
        share = self._shares.setdefault(project.id, Share())
        if share.left <= 0 or self._clock() >= share.ends:
            async with share.lock:
                await self._refill(project.id, share, limit)
        seconds = max(1, ceil(share.ends - self._clock()))
        if share.left <= 0:
            raise used_up(limit, seconds)
        share.left -= events
        return rate_limit_fields(limit, limit - share.gone + share.left, seconds)

    async def _refill(self, project: str, share: Share, limit: int) -> None:
        """Unless somebody did while we waited for the lock: a new minute, and a tenth of it beside what is owed."""
        now = self._clock()
        if now >= share.ends:
            share.left, share.gone, share.ends = 0, 0, now + MINUTE
        if share.left > 0 or share.gone >= limit:
            return
        wanted = max(1, limit // 10) - share.left
        taken = await self._ask(project, wanted)
        # While Postgres is away, each instance goes by what it knows itself.
        before = share.gone if taken is None else taken.before
        share.ends = share.ends if taken is None else now + taken.seconds_left
        share.gone = before + wanted
        share.left += min(wanted, max(0, limit - before))

    async def _ask(self, project: str, wanted: int) -> Taken | None:
        """None while Postgres is away."""
        if self._clock() - self._failed_at < STILL_DOWN:
            return None
        asked = asyncio.get_running_loop().run_in_executor(None, self._take, project, wanted)
        try:
            return await asyncio.wait_for(asked, ANSWER_SECONDS)
        except (Unavailable, TimeoutError):
            self._failed_at = self._clock()
            return None


def used_up(limit: int, seconds: int) -> Problem:
    detail = f"This project may send {limit} events a minute; the next minute begins in {seconds} s."
    headers = [("retry-after", str(seconds)), *rate_limit_fields(limit, 0, seconds)]
    return Problem("rate_limited", detail, status=429, headers=headers)


def rate_limit_fields(limit: int, remaining: int, seconds: int) -> Headers:
    """As the IETF's RateLimit fields say it: the policy, and what is left of it."""
    return [
        ("ratelimit-policy", f'"events";q={limit};w=60'),
        ("ratelimit", f'"events";r={max(0, remaining)};t={seconds}'),
    ]
