"""Figures as lines of text: one table for every bench."""

from collections.abc import Iterable, Mapping

from local.bench.figure import NONE, Figure, readable

Whys = Mapping[str, str]
COLUMNS = "{:<64} {:>24} {:>14} {:>9} {:>18} {:>9}  {}"
HEAD = COLUMNS.format("what", "measured", "baseline", "ratio", "to reach", "CPU µs", "").rstrip()


def lines(figures: Iterable[Figure], whys: Whys) -> list[str]:
    """The whole table, a heading for each bench."""
    made, bench = [HEAD], ""
    for one in figures:
        if one.bench != bench:
            bench = one.bench
            made.append(bench)
        made += line(one, whys)
    return made


def line(figure: Figure, whys: Whys) -> list[str]:
    """Its line; and why, where it is not reached."""
    cells = (
        f"  {figure.what}",
        f"{readable(figure.value)} {figure.unit}",
        readable(figure.baseline) if figure.baseline else NONE,
        f"{readable(figure.ratio)} x" if figure.ratio else NONE,
        wanted(figure) or NONE,
        readable(figure.cpu_us) if figure.cpu_us else NONE,
    )
    made = [COLUMNS.format(*cells, verdict(figure)).rstrip()]
    if figure.note:
        made.append(f"      {figure.note}")
    if not figure.reached_there:
        made.append(f"      because {whys.get(figure.name, 'nobody has said why')}")
    return made


def wanted(figure: Figure) -> str:
    """What is to be reached: of the measured, of the ratio, or of both."""
    sign = "≤" if figure.most else "≥"
    target = [f"{sign} {readable(figure.target)}"] if figure.target is not None else []
    times = [f"≥ {figure.times:g} x"] if figure.times is not None else []
    return ", ".join(target + times)


def verdict(figure: Figure) -> str:
    if not figure.bounded:
        return ""
    if figure.reached:
        return "reached"
    return "reached, were the machine as quick" if figure.reached_there else "NOT REACHED"
