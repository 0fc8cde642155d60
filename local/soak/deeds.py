"""Doing what a schedule says to a stack, one thread for what lasts and one for the kills."""

import signal
import time
from collections.abc import Callable
from threading import Lock, Thread

from local.soak.schedule import Fault
from local.soak.stack import OwnStack, send

FILL_SECONDS = 0.2


class Deeds:
    """`tell` hears of each as it is done; what could not be done to the end is in `failures`."""

    def __init__(self, stack: OwnStack, schedule: list[Fault], tell: Callable[[str], None]) -> None:
        self.stack, self._tell = stack, tell
        self.failures: list[BaseException] = []
        self.done: list[tuple[Fault, float, float]] = []  # when each began and ended, on the monotonic clock
        self._alone = Lock()  # a stack that is being started is no stack yet: nobody is killed then
        self._tracks = [
            [one for one in schedule if one.what != "kill"],
            [one for one in schedule if one.what == "kill"],
        ]
        self._began = 0.0

    def run(self) -> None:
        """Until the last is over."""
        self._began = time.monotonic()
        threads = [Thread(target=self._follow, args=(track,)) for track in self._tracks]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if self.failures:
            raise self.failures[0]

    def _follow(self, track: list[Fault]) -> None:
        try:
            for fault in track:
                while (left := self._began + fault.at - time.monotonic()) > 0:
                    time.sleep(min(left, 1))
                self._do(fault)
        except BaseException as error:
            self.failures.append(error)

    def _do(self, fault: Fault) -> None:
        began = time.monotonic()
        self._tell(f"{began - self._began:6.1f} s  {fault}")
        getattr(self, f"_{fault.what}")(fault)
        self.done.append((fault, began, time.monotonic()))

    def _kill(self, fault: Fault) -> None:
        with self._alone:
            send(signal.SIGKILL, self.stack.family(fault.part))

    def _freeze(self, fault: Fault) -> None:
        family = self.stack.family(fault.part)
        send(signal.SIGSTOP, family)
        time.sleep(fault.seconds)
        send(signal.SIGCONT, family)

    def _restart(self, fault: Fault) -> None:
        """Told to stop at once: open sessions are cut."""
        how = signal.SIGINT if fault.part == "postgres" else signal.SIGTERM
        send(how, self.stack.family(fault.part)[:1])

    def _outage(self, fault: Fault) -> None:
        """The harness, which would start it again, is held still meanwhile."""
        assert self.stack.harness
        self.stack.harness.popen.send_signal(signal.SIGSTOP)
        try:
            send(signal.SIGKILL, self.stack.family(fault.part))
            time.sleep(fault.seconds)
        finally:
            self.stack.harness.popen.send_signal(signal.SIGCONT)

    def _full(self, fault: Fault) -> None:
        """What it gives back to make room is taken too."""
        disk, until = self.stack.disks[fault.part], time.monotonic() + fault.seconds
        try:
            disk.fill()
            if fault.amount:
                self.stack.use_up_wal()
            while time.monotonic() < until:
                disk.fill()
                time.sleep(FILL_SECONDS)
        finally:
            disk.free()

    def _slow(self, fault: Fault) -> None:
        way = self.stack.ways[fault.part]
        way.seconds = fault.amount / 1000
        time.sleep(fault.seconds)
        way.seconds = 0.0

    def _clock(self, fault: Fault) -> None:
        """The schedule stands still meanwhile."""
        began = time.monotonic()
        with self._alone:
            self.stack.stop()
            self.stack.start(fault.amount)
            self._began += time.monotonic() - began
