"""Two commits' figures beside each other: python -m local.bench.compare A.json B.json; one file alone is a table."""

import sys
from pathlib import Path

from local.bench import record, table
from local.bench.figure import NONE, Figure, readable
from local.bench.record import Record

COLUMNS = "{:<62} {:>22} {:>22} {:>10}  {}"
WORTH_SAYING = 1.1  # less is the machine's mood


def main(paths: list[str]) -> int:
    if len(paths) not in (1, 2):
        print(__doc__)
        return 2
    records = [record.read(Path(path)) for path in paths]
    print("\n".join(beside(*records) if len(records) == 2 else alone(*records)))
    return 0


def alone(of: Record) -> list[str]:
    return [heading(of), *table.lines(of.figures, record.whys())]


def beside(before: Record, after: Record) -> list[str]:
    """A line for each figure of either. Where both have a baseline, ratios are compared: they are no machine's."""
    old = {one.name: one for one in before.figures}
    new = {one.name: one for one in after.figures}
    names = list(dict.fromkeys([*old, *new]))
    head = COLUMNS.format("", before.commit, after.commit, "times", "").rstrip()
    return [heading(before), heading(after), head, *(compared(name, old.get(name), new.get(name)) for name in names)]


def compared(name: str, old: Figure | None, new: Figure | None) -> str:
    if old and new and old.ratio and new.ratio:
        change, most, values = new.ratio / old.ratio, False, [f"{readable(one.ratio or 0)} x" for one in (old, new)]
    else:
        values = [f"{readable(one.value)} {one.unit}" if one else NONE for one in (old, new)]
        if not old or not new or not old.value:
            return COLUMNS.format(name, *values, NONE, "").rstrip()
        change, most = new.value / old.value, new.most
    return COLUMNS.format(name, *values, f"{change:.2f} x", judged(change, most=most)).rstrip()


def judged(change: float, *, most: bool) -> str:
    better = 1 / change if most and change else change
    if better >= WORTH_SAYING:
        return "better"
    return "WORSE" if better * WORTH_SAYING <= 1 else ""


def heading(of: Record) -> str:
    kind = ", small sizes" if of.quick else ""
    loads = [one.load for one in of.figures]
    busy = f"; load {min(loads):.1f} to {max(loads):.1f} before the benches" if loads else ""
    return f"{of.commit} at {of.at}{kind}: {of.machine.sentence()}{busy}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
