"""How far a replay has come, kept in a file: an interrupted one goes on where it was, with the same ids and times."""

import hashlib
import json
import time
from pathlib import Path
from typing import NamedTuple

from local.sending.target import ENV, Unusable

FOLDER = ENV.parent / "replay"
EVERY = 0.5  # seconds; what is sent again after a crash has the same ids, and is counted once


class Progressed(NamedTuple):
    run: str
    shift_seconds: int
    lines: int = 0  # that are settled, from the beginning
    keep_ids: bool = False
    sources: str = ""  # what they were


class Journal:
    """Of the replay of these sources to this address into this project."""

    def __init__(self, given: list[str], url: str, project: str, folder: Path = FOLDER) -> None:
        about = json.dumps([[str(Path(one).resolve()) if "://" not in one else one for one in given], url, project])
        self._path = folder / f"{hashlib.sha256(about.encode()).hexdigest()[:16]}.json"
        self._written = 0.0

    def left(self) -> Progressed | None:
        """None: nothing was interrupted."""
        try:
            return Progressed(**json.loads(self._path.read_text()))
        except FileNotFoundError:
            return None
        except (ValueError, TypeError) as error:
            raise Unusable(f"{self._path} cannot be read ({error}): remove it, and begin anew.") from error

    def keep(self, progressed: Progressed, *, now: bool = False) -> None:
        if not now and time.monotonic() - self._written < EVERY:
            return
        self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        draft = self._path.with_suffix(".draft")
        draft.write_text(json.dumps(progressed._asdict()))
        draft.replace(self._path)
        self._written = time.monotonic()

    def over(self) -> None:
        self._path.unlink(missing_ok=True)
