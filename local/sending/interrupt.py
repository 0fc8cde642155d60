"""Ctrl-C and SIGTERM: what is under way is brought to its end, and the report is told."""

import signal
import threading
from types import FrameType


def interrupts(stopping: threading.Event) -> threading.Event:
    """Set, with `stopping`, when somebody wants an end; a run may also stop by itself."""
    interrupted = threading.Event()

    def on_signal(_number: int, _frame: FrameType | None) -> None:
        interrupted.set()
        stopping.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, on_signal)
    return interrupted
