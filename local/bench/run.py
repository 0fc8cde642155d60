"""How a bench runs by itself: `python -m local.bench.NAME [PART …] [--quick] [--scale 0.1] [--json FILE]`."""

import argparse
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from msgspec.structs import replace

from local.bench import machine, record, table
from local.bench.figure import Figure

QUICK_SCALE = 0.02


class Words(NamedTuple):
    """What was asked: some parts of the bench, or all; smaller, so that it takes seconds."""

    parts: tuple[str, ...]
    quick: bool
    scale: float  # of the data that API and pages read

    def wants(self, part: str) -> bool:
        return part in self.parts

    def rounds(self, full: int, quick: int) -> int:
        return quick if self.quick else full


Bench = Callable[[Words], Iterator[Figure]]


def main(name: str, about: str | None, figures: Bench, parts: tuple[str, ...] = ()) -> int:
    """Prints each figure as it comes, and keeps all of them; 1 if one is not reached and nobody has said why.

    Small sizes say whether a bench works; how fast anything is they do not, so nothing is asked of them.
    """
    made = parser(about, parts)
    given = made.parse_args()
    if unknown := set(given.parts) - set(parts):
        made.error(f"there is no part {', '.join(sorted(unknown))} in it: there is {', '.join(parts)}")
    scale = given.scale or (QUICK_SCALE if given.quick else 1.0)
    words = Words(tuple(given.parts or parts), given.quick, scale)
    whys, found, load, commit, slower = record.whys(), [], os.getloadavg()[0], record.commit(), machine.slower()
    print(table.HEAD, flush=True)
    try:
        for one in figures(words):
            found.append(replace(one, bench=name, load=load, commit=commit, slower=slower))
            print("\n".join(table.line(found[-1], whys)), flush=True)
    finally:  # what was measured before it broke is kept
        record.add(given.json or record.path_of(quick=given.quick), found, quick=given.quick)
    return int(not words.quick and any(unexplained(one, whys) for one in found))


def unexplained(figure: Figure, whys: table.Whys) -> bool:
    return not figure.reached_there and figure.name not in whys


def parser(about: str | None, parts: tuple[str, ...]) -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(description=about, formatter_class=argparse.RawDescriptionHelpFormatter)
    if parts:
        made.add_argument("parts", nargs="*", help=f"of {', '.join(parts)}; all, if none is named")
    else:
        made.set_defaults(parts=[])
    made.add_argument("--quick", action="store_true", help="with smaller sizes: whether it works, not how fast it is")
    made.add_argument("--scale", type=float, help="of the data that API and pages read; 1 if not said")
    made.add_argument("--json", type=Path, help=f"where the figures are kept; {record.FOLDER.name}/<commit>.json")
    return made
