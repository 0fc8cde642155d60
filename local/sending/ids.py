"""Ids of events: from a run and the number of a line, so that a retry has the same and the next run another."""

import hashlib
import os

DIGITS = 18  # of a run, in hexadecimal


def new_run() -> str:
    return os.urandom(DIGITS // 2).hex()


def id_of(run: str, line: int) -> str:
    """A UUID of version 8: the run's digits, and the line's number, which can be read in it."""
    return f"{run[:8]}-{run[8:12]}-8{run[12:15]}-8{run[15:]}-{line:012x}"


def id_after(run: str, given: str) -> str:
    """A new id for one that is given: the same within a run, so that a repeat stays a repeat."""
    digits = hashlib.blake2b(given.lower().encode(), key=run.encode(), digest_size=16).hexdigest()
    return f"{digits[:8]}-{digits[8:12]}-8{digits[13:16]}-8{digits[17:20]}-{digits[20:]}"
