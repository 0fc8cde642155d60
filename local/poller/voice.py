"""What the poller says of things that last: when they begin, once a minute while they do, and when they are over."""

import time

from common import log


class Voice:
    def __init__(self, station: str, every: float) -> None:
        self._station, self._every = station, every
        self._said: dict[str, float] = {}
        self._lasting: dict[str, tuple[float, str]] = {}  # since when, and why

    def say(self, level: str, message: str, **fields: object) -> None:
        log.write(level, f"poller: {message}", station=self._station, **fields)

    def due(self, what: str) -> bool:
        """True the first time, and once a minute."""
        now = time.monotonic()
        if now - self._said.get(what, -self._every) < self._every:
            return False
        self._said[what] = now
        return True

    def over_again(self, what: str) -> None:
        """If it begins anew, that is said at once."""
        self._said.pop(what, None)

    def lasts(self, what: str, why: str) -> None:
        since, _ = self._lasting.get(what, (time.monotonic(), ""))
        self._lasting[what] = since, why
        if self.due(what):
            self.say("warn", f"waits for {what}", why=why, seconds=round(time.monotonic() - since, 1))

    def over(self, what: str) -> None:
        if what in self._lasting:
            since, _ = self._lasting.pop(what)
            self.over_again(what)
            self.say("info", f"goes on: {what} answers", seconds=round(time.monotonic() - since, 1))

    @property
    def lasting(self) -> dict[str, str]:
        """What is waited for, and why; from any thread."""
        return {what: why for what, (_, why) in list(self._lasting.items())}
