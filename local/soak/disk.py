"""A small disk in memory under the data of one store, which can be full for a while."""

import os
import shutil
import subprocess
from pathlib import Path

from common.errors import Misconfigured
from local.servers import process
from local.servers.process import Missing

ROOM = 2 * 1024**3  # only what is used takes memory
TRIES = 5


class Disk:
    """Mounted where the store will keep its data. Full means that nothing more fits than what is there."""

    def __init__(self, folder: Path, *, unprivileged: bool) -> None:
        self.folder = folder
        owner = process.NOBODY if unprivileged and process.is_root() else os.getuid()
        self._owner = f"uid={owner},gid={owner if unprivileged and process.is_root() else os.getgid()}"

    def mount(self) -> None:
        self.folder.mkdir(parents=True)
        words = ["mount", "-t", "tmpfs", "-o", f"size={ROOM},mode=0700,{self._owner}", "soak", str(self.folder)]
        if reason := told(words):
            raise Missing(
                f"No disk can be made under {self.folder.parent.name} ({reason}): mounting needs root, or sudo without "
                "a password. ONLY=kill,freeze,restart,outage,slow,clock leaves the full disk out."
            )

    def fill(self) -> None:
        """What is given back meanwhile is taken away too, whenever this is called again."""
        for _ in range(TRIES):  # it may have grown since it was asked
            if not self._size(shutil.disk_usage(self.folder).used):
                return

    def free(self) -> None:
        if reason := self._size(ROOM):
            raise Misconfigured(f"The disk under {self.folder} could not be made larger again: {reason}")

    def unmount(self) -> None:
        told(["umount", "--lazy", str(self.folder)])

    def _size(self, size: int) -> str:
        return told(["mount", "-o", f"remount,size={size}", str(self.folder)])


def told(words: list[str]) -> str:
    """Why it could not be done; empty if it was."""
    prefix = [] if process.is_root() else ["sudo", "-n"]
    done = subprocess.run([*prefix, *words], capture_output=True, text=True, check=False)
    return done.stderr.strip() if done.returncode else ""
