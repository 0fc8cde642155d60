"""Tells how it goes on stderr: one line that is written anew on a terminal, elsewhere a line every ten seconds."""

import sys
import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from types import TracebackType
from typing import TextIO

ON_TERMINAL, ELSEWHERE = 0.5, 10.0
WIDTH = 110


class Progress(AbstractContextManager["Progress"]):
    """While it lasts, `line` is asked for what to show; what is put into `talk` is told above it, and stays."""

    def __init__(self, line: Callable[[], str], talk: list[str] | None = None, out: TextIO = sys.stderr) -> None:
        self._line, self._out, self._live = line, out, out.isatty()
        self._talk: list[str] = [] if talk is None else talk
        self._clear = "\r\033[K" if self._live else ""
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._tell, name="progress", daemon=True)

    def __enter__(self) -> "Progress":
        self._thread.start()
        return self

    def __exit__(
        self, _type: type[BaseException] | None, _value: BaseException | None, _at: TracebackType | None
    ) -> None:
        self._over.set()
        self._thread.join()
        self._out.write(self._clear)
        self._out.flush()

    def _tell(self) -> None:
        while not self._over.wait(ON_TERMINAL if self._live else ELSEWHERE):
            while self._talk:
                self._out.write(f"{self._clear}{self._talk.pop(0)}\n")
            self._out.write(f"{self._clear}{self._line()[:WIDTH]}" if self._live else f"{self._line()}\n")
            self._out.flush()


def bar(share: float, width: int = 24) -> str:
    done = int(width * min(1.0, share))
    return f"[{'#' * done}{'.' * (width - done)}] {100 * min(1.0, share):3.0f} %"


def since(started: float) -> str:
    return f"{time.monotonic() - started:.0f} s"
