"""docs/performance.md, its pictures and its data, from what was measured: python -m local.bench.report [FILE.json …]

Without a file: from the newest full run in .local/bench; of several, a later one's figures stand for an earlier one's.
What stands between `<!-- made: … -->` and `<!-- /made -->` is written here, all else by hand.
"""

import re
import sys
from collections.abc import Iterable
from itertools import groupby
from pathlib import Path

import msgspec

from common.errors import Misconfigured
from local import state
from local.bench import record, svg
from local.bench.figure import NONE, Figure, readable
from local.bench.record import Record
from local.bench.svg import Bar, Stack
from local.bench.table import Whys, verdict, wanted

PAGE = state.ROOT / "docs/performance.md"
DATA = state.ROOT / "docs/performance.json"
PICTURES = state.ROOT / "docs/pictures"
PATHS, READS = "paths", "api"
TABLE = "| | measured | baseline | ratio | to reach | CPU an event, µs | |\n|---|--:|--:|--:|--:|--:|---|"


def main(paths: list[str]) -> int:
    whole = together([record.read(Path(path)) for path in paths or [newest()]])
    DATA.write_bytes(msgspec.json.format(msgspec.json.encode(whole), indent=1) + b"\n")
    PAGE.write_text(page(PAGE.read_text(), whole, record.whys()))
    for name, picture in pictures(whole.figures).items():
        (PICTURES / name).write_text(picture)
    print(f"{PAGE.relative_to(state.ROOT)}: {len(whole.figures)} figures of {whole.commit}")
    return 0


def newest() -> str:
    found = [path for path in record.FOLDER.glob("*.json") if not path.stem.endswith("-quick")]
    if not found:
        raise Misconfigured("No figures are here yet: run `make bench` first.")
    return str(max(found, key=lambda path: path.stat().st_mtime))


def together(records: Iterable[Record]) -> Record:
    first, *others = records
    for one in others:
        first = msgspec.structs.replace(one, figures=record.merged(first.figures, one.figures))
    return first


def page(text: str, whole: Record, whys: Whys) -> str:
    """The page with its made parts made anew."""
    measured = [one for one in whole.figures if one.bench != PATHS]
    parts = {"machine": machine(whole), "short": short(measured, whys), "figures": tables(measured)}
    for name, made in parts.items():
        block = f"<!-- made: {name} -->\n{made}\n<!-- /made -->"
        text, found = re.subn(rf"<!-- made: {name} -->.*?<!-- /made -->", lambda _: block, text, flags=re.DOTALL)  # noqa: B023
        assert found == 1, f"{PAGE.name} has no place for {name}"
    return text


def machine(whole: Record) -> str:
    loads = [one.load for one in whole.figures]
    commits = ", ".join(dict.fromkeys(one.commit or whole.commit for one in whole.figures))
    small = "**In small sizes, which say little.** " if whole.quick else ""
    return (
        f"{small}Measured at {whole.at[:10]} on commit {commits}: {whole.machine.sentence()}. The load of the machine "
        f"when a bench began was {min(loads):.1f} to {max(loads):.1f}; below 1 it had the machine for itself."
    )


def short(figures: list[Figure], whys: Whys) -> str:
    """What is not reached, and why."""
    missed = [one for one in figures if not one.reached_there]
    bounded, reached = sum(one.bounded for one in figures), sum(one.bounded and one.reached for one in figures)
    said = f"{reached} of {bounded} targets are reached"
    if more := bounded - reached - len(missed):
        said += f", and {more} more would be on a machine as quick as the one they were set on"
    rows = [f"- **{one.name}**: {measured(one)}; {whys.get(one.name, 'nobody has said why')}" for one in missed]
    return "\n".join([f"{said}.{' Not reached:' if missed else ''}", *([""] if rows else []), *rows])


def measured(figure: Figure) -> str:
    ratio = f", {readable(figure.ratio)} x the baseline" if figure.times is not None and figure.ratio else ""
    return f"{readable(figure.value)} {figure.unit}{ratio}, to reach {wanted(figure)}"


def tables(figures: list[Figure]) -> str:
    """One for each bench."""
    groups = groupby(figures, key=lambda one: one.bench)
    return "\n\n".join("\n".join([f"### {bench}", "", TABLE, *map(row, found)]) for bench, found in groups)


def row(figure: Figure) -> str:
    note = f"<br>{figure.note}" if figure.note else ""
    cells = (
        figure.what + note,
        f"{readable(figure.value)} {figure.unit}",
        readable(figure.baseline) if figure.baseline else NONE,
        f"{readable(figure.ratio)} x" if figure.ratio else NONE,
        wanted(figure) or NONE,
        readable(figure.cpu_us) if figure.cpu_us else NONE,
        verdict(figure).replace("NOT REACHED", "**not reached**"),
    )
    return f"| {' | '.join(cells)} |"


def pictures(figures: list[Figure]) -> dict[str, str]:
    bounded = [one for one in figures if one.bounded and one.bench != READS]
    bars = [Bar(one.name, share(one), percent(one)) for one in [*bounded, *worst_reads(figures)]]
    stacks = [
        Stack(path, [(one.what.partition(": ")[2], one.value) for one in found])
        for path, found in groupby(
            (one for one in figures if one.bench == PATHS), key=lambda one: one.what.partition(": ")[0]
        )
    ]
    return {
        "targets.svg": svg.against_target("What was measured, against its target (twice as good ends the bar)", bars),
        "hot-paths.svg": svg.of_a_hundred("Where a hot path's time goes, waiting included", stacks),
    }


def share(figure: Figure) -> float:
    """How much of what is to be reached; of two targets the worse."""
    shares = [figure.ratio / figure.times] if figure.times and figure.ratio else []
    if figure.target is not None and figure.value:
        shares.append(figure.target / figure.value if figure.most else figure.value / figure.target)
    return min(shares, default=1.0)


def percent(figure: Figure) -> str:
    return "over 300 %" if share(figure) > 3 else f"{share(figure) * 100:.0f} %"


def worst_reads(figures: list[Figure]) -> list[Figure]:
    """Of forty reads and pages those furthest from their targets, by unit and by kind."""
    found = [one for one in figures if one.bench == READS and one.bounded]
    kinds = {one.what.partition(" ")[0] + one.unit for one in found}
    return [
        min((one for one in found if one.what.partition(" ")[0] + one.unit == kind), key=share)
        for kind in sorted(kinds)
    ]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
