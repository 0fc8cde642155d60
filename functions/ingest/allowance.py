"""How many events a minute a project may send: instances take tenths of it from one row, and refuse when it is gone.

A batch is taken or refused whole, and as long as anything is left it is taken: so the overshoot is at most a batch and
a tenth per instance.
"""

import asyncio
from collections.abc import Callable
from datetime import datetime

from common.clients.postgres.keys import Project
from common.errors import Problem, Unavailable

Take = Callable[[str, int, int], int]  # project, minute, wanted -> taken before
Headers = list[tuple[str, str]]


class Share:
    """What this instance holds of a project's minute. Below zero, it is owed to the row."""

    def __init__(self) -> None:
        self.minute = self.left = self.gone = 0
        self.lock = asyncio.Lock()


class Allowances:
    def __init__(self, take: Take) -> None:
        self._take = take
        self._shares: dict[str, Share] = {}

    async def admit(self, project: Project, events: int, now: datetime) -> Headers:
        """The rate limit fields of the answer; a Problem with Retry-After if this minute is used up."""
        limit = project.events_per_minute
        if limit is None:
            return []
        share = self._shares.setdefault(project.id, Share())
        minute, second = divmod(int(now.timestamp()), 60)
        if share.minute != minute:
            share.minute, share.left, share.gone = minute, 0, 0
        if share.left <= 0:
            await self._refill(project.id, share, limit)
        fields = rate_limit_fields(limit, max(0, limit - share.gone + share.left), 60 - second)
        if share.left <= 0:
            raise Problem(
                "rate_limited",
                f"This project may send {limit} events a minute; the next minute begins in {60 - second} s.",
                status=429,
                headers=[("retry-after", str(60 - second)), *fields],
            )
        share.left -= events
        return fields

    async def _refill(self, project: str, share: Share, limit: int) -> None:
        async with share.lock:
            if share.left > 0 or share.gone >= limit:
                return
            minute, wanted = share.minute, max(1, limit // 10) - share.left
            try:
                before = await asyncio.get_running_loop().run_in_executor(None, self._take, project, minute, wanted)
            except Unavailable:
                before = share.gone  # while Postgres is away, each instance goes by what it knows itself
            if share.minute == minute:
                share.gone = before + wanted
                share.left += min(wanted, max(0, limit - before))


def rate_limit_fields(limit: int, remaining: int, seconds: int) -> Headers:
    """As the IETF's RateLimit fields say it: the policy, and what is left of it."""
    return [
        ("ratelimit-policy", f'"events";q={limit};w=60'),
        ("ratelimit", f'"events";r={remaining};t={seconds}'),
    ]
