"""Whether this process stood still so long that its group may have given it up."""

import threading
import time

# A little less than the broker waits for a member.
STILL_SECONDS = 5.0


class Pulse:
    """A thread that wakes every second, so that a process that was frozen knows it, whoever asks first."""

    def __init__(self) -> None:
        self._last, self._stopped = time.monotonic(), threading.Event()
        self._lock = threading.Lock()
        self._missed = False
        threading.Thread(target=self._run, name="pulse", daemon=True).start()

    def missed(self) -> bool:
        """Whether, since this was last asked, it stood still so long that the group may have given us up."""
        with self._lock:
            missed = self._missed or self._late()
            self._missed = False
            if missed:
                self._last = time.monotonic()
            return missed

    def stop(self) -> None:
        self._stopped.set()

    def _run(self) -> None:
        while not self._stopped.wait(1.0):
            with self._lock:
                self._missed = self._missed or self._late()
                self._last = time.monotonic()

    def _late(self) -> bool:
        return time.monotonic() - self._last > STILL_SECONDS
