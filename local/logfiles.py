"""Log files of local processes: at ten megabytes a file is turned over, and one older file is kept."""

from pathlib import Path
from threading import Thread
from typing import IO

LIMIT = 10_000_000


class LogFile:
    """Lines appended to `path`; when it is full it becomes `path.1`, and what was `path.1` is gone."""

    def __init__(self, path: Path, limit: int = LIMIT) -> None:
        self.path, self.limit = path, limit
        self.file = path.open("ab")

    def write(self, line: bytes) -> None:
        """One whole line; a line is never cut in two."""
        if self.file.tell() and self.file.tell() + len(line) > self.limit:
            self.file.close()
            self.path.replace(self.path.with_name(f"{self.path.name}.1"))
            self.file = self.path.open("ab")
        self.file.write(line)
        self.file.flush()  # whoever follows the log sees it now

    def close(self) -> None:
        self.file.close()


def follow(output: IO[bytes], log: LogFile) -> Thread:
    """Copies a process's output until it ends; a process must never wait for its log."""

    def copy() -> None:
        for line in output:
            log.write(line)
        log.close()

    thread = Thread(target=copy, name=f"log {log.path.name}", daemon=True)
    thread.start()
    return thread
