"""What benches found, kept as JSON beside the commit it is of, so that two commits can be compared."""

import subprocess
import tomllib
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

import msgspec
from msgspec import Struct

from local import state
from local.bench.figure import Figure
from local.bench.machine import Machine, described

FOLDER = state.HOME / "bench"
WHY = Path(__file__).parent / "why.toml"


class Record(Struct, frozen=True, kw_only=True):
    """One file. Figures of one bench follow each other, in the order they were measured."""

    commit: str
    at: str
    quick: bool
    machine: Machine
    figures: list[Figure]


def path_of(*, quick: bool) -> Path:
    """Where this commit's figures are kept; small ones never stand among the real ones."""
    return FOLDER / f"{commit()}{'-quick' if quick else ''}.json"


def read(path: Path) -> Record:
    return msgspec.json.decode(path.read_bytes(), type=Record)


def add(path: Path, figures: Iterable[Figure], *, quick: bool) -> Record:
    """Put them into the file; those it had by the same name are gone, and the machine is described once."""
    kept = read(path) if path.exists() else fresh(quick=quick)
    made = msgspec.structs.replace(kept, at=now(), figures=merged(kept.figures, figures))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(msgspec.json.format(msgspec.json.encode(made), indent=1) + b"\n")
    return made


def fresh(*, quick: bool) -> Record:
    return Record(commit=commit(), at=now(), quick=quick, machine=described(), figures=[])


def merged(kept: Iterable[Figure], newer: Iterable[Figure]) -> list[Figure]:
    """By bench, in the order these were first seen."""
    found = {one.name: one for one in kept} | {one.name: one for one in newer}
    benches = list(dict.fromkeys(one.bench for one in found.values()))
    return sorted(found.values(), key=lambda one: benches.index(one.bench))


def whys() -> dict[str, str]:
    """Of figures by name: why they are not reached, with what a profile said."""
    benches = tomllib.loads(WHY.read_text())
    return {f"{bench}: {what}": why for bench, reasons in benches.items() for what, why in reasons.items()}


def commit() -> str:
    """Its short name; `-dirty` where the tree has what it has not."""
    described = git("rev-parse", "--short", "HEAD") or "unknown"
    return described + ("-dirty" if git("status", "--porcelain", "--untracked-files=no") else "")


def git(*words: str) -> str:
    done = subprocess.run(["git", *words], cwd=state.ROOT, capture_output=True, text=True, check=False)
    return done.stdout.strip()


def now() -> str:
    return datetime.now(UTC).isoformat(timespec="minutes")
