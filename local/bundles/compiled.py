"""Python sources with the byte code that 3.13 makes of them, which holds whatever a zip does to their times.

A platform unpacks a bundle on a read-only disk with times of its own; byte code that is checked against them, or that
is missing, would double the time of every cold start.
"""

import hashlib
import shutil
import subprocess
import zipfile
from collections.abc import Iterable
from fnmatch import fnmatch
from functools import cache
from pathlib import Path

from local import state
from local.bundles.declaration import BOTOCORE_KEEPS, PYTHON, ROOT
from local.bundles.interpreter import interpreter

Files = dict[str, Path]  # name in the bundle -> file

OURS = ("common", "functions", "schedules", "migrations")
TAG = f"cpython-{PYTHON.replace('.', '')}"
# What no function of ours opens: records, type stubs, programs, other people's tests and examples.
LEFT_OUT = (
    "*.dist-info/RECORD",
    "*.pyi",
    "*/py.typed",
    "*/tests/*",
    "*.data/*",
    "*/__pycache__/*",
    "*.c",
    "*.h",
    "*.pyx",
    "*/examples-1.json",
)
DATA_OF_SERVICES = "botocore/data/*/*"
RULE = hashlib.sha256(repr((LEFT_OUT, BOTOCORE_KEEPS)).encode()).hexdigest()[:8]  # another one unpacks anew


def of_wheels(wheels: Iterable[Path]) -> Files:
    """The unpacked and compiled files of all these, each made once and kept."""
    found: Files = {}
    for wheel in wheels:
        found |= listed(unpacked(wheel))
    return found


@cache
def listed(folder: Path) -> Files:
    return {str(path.relative_to(folder)): path for path in folder.rglob("*") if path.is_file()}


def unpacked(wheel: Path) -> Path:
    folder = state.HOME / "wheels" / f"unpacked-{RULE}" / wheel.name.removesuffix(".whl")
    if not folder.exists():
        begun = folder.with_suffix(".begun")
        shutil.rmtree(begun, ignore_errors=True)
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(begun, [name for name in archive.namelist() if is_kept(name)])
        compile_in(begun)
        begun.rename(folder)
    return folder


def is_kept(name: str) -> bool:
    if fnmatch(name, DATA_OF_SERVICES) and not name.startswith(
        tuple(f"botocore/data/{one}/" for one in BOTOCORE_KEEPS)
    ):
        return False
    return not any(fnmatch(name, pattern) for pattern in LEFT_OUT)


def of_ours(paths: Iterable[Path]) -> Files:
    """Our own modules and data, each module with its byte code; all are compiled at once, and once for each change."""
    made = all_of_ours()
    found: Files = {}
    for path in paths:
        names = [path] if path.suffix != ".py" else [path, path.parent / "__pycache__" / f"{path.stem}.{TAG}.pyc"]
        found |= {str(name): made[str(name)] for name in names}
    return found


@cache
def all_of_ours() -> Files:
    tracked = [path for top in OURS for path in sorted((ROOT / top).rglob("*")) if path.is_file()]
    kept = [path for path in tracked if path.suffix != ".pyc"]
    return written({str(path.relative_to(ROOT)): path.read_bytes() for path in kept}, "ours")


def written(contents: dict[str, bytes], name: str) -> Files:
    """These files on disk, the Python ones compiled."""
    digest = hashlib.sha256(repr(sorted(contents.items())).encode()).hexdigest()[:16]
    folder = state.HOME / "bundles" / f"{name}-{digest}"
    if not folder.exists():
        begun = folder.with_suffix(".begun")
        shutil.rmtree(begun, ignore_errors=True)
        for path, content in contents.items():
            (begun / path).parent.mkdir(parents=True, exist_ok=True)
            (begun / path).write_bytes(content)
        compile_in(begun)
        begun.rename(folder)
    return listed(folder)


def compile_in(folder: Path) -> None:
    """In place; the names in tracebacks are set anew when a module is loaded."""
    words = [interpreter(), "-m", "compileall", "-q", "--invalidation-mode", "unchecked-hash", "-s", folder, folder]
    done = subprocess.run([str(word) for word in words], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
