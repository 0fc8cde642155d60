"""A traceback as a few lines: our own frames in full, the frames of others counted."""

import sys
import traceback
from pathlib import Path

ROOT = str(Path(__file__).resolve().parents[2])
FOREIGN = ("site-packages", "dist-packages", "virtualenv", sys.base_prefix)


def folded(error: BaseException) -> list[str]:
    """Our frames from the outermost in, then the error and what it came from."""
    lines: list[str] = []
    foreign = 0
    for frame in traceback.extract_tb(error.__traceback__):
        if not _is_ours(frame.filename):
            foreign += 1
            continue
        lines += _counted(foreign)
        foreign = 0
        lines.append(f"{frame.filename.removeprefix(ROOT + '/')}:{frame.lineno} {frame.name}: {frame.line}")
    return [*lines, *_counted(foreign), *_causes(error)]


def _is_ours(filename: str) -> bool:
    return filename.startswith(ROOT) and not any(part in filename.removeprefix(ROOT) for part in FOREIGN)


def _counted(foreign: int) -> list[str]:
    return [f"… {foreign} frames of others"] if foreign else []


def _causes(error: BaseException) -> list[str]:
    lines = [f"{type(error).__name__}: {error}"]
    cause = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    while cause is not None and len(lines) < 5:
        lines.append(f"from {type(cause).__name__}: {cause}")
        cause = cause.__cause__ or cause.__context__
    return lines
