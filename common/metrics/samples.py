"""What was counted in this process, as named numbers: the page Prometheus reads, or what one call has added."""

from __future__ import annotations

from functools import lru_cache

from common.metrics import names
from common.metrics.kinds import Counter, Gauge, Histogram, Metric
from common.version import VERSION

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from common.metrics.kinds import Values

    Standing = Mapping[Gauge, Mapping[Values, float]]

KIND = "text/plain; version=0.0.4; charset=utf-8"


def page(part: str, standing: Standing | None = None) -> str:
    """The text format of Prometheus; `standing` are the gauges, as they were found just now."""
    gauges: dict[Gauge, Mapping[Values, float]] = {names.BUILD: {(VERSION,): 1}, **(standing or {})}
    lines: list[str] = []
    for metric in names.ALL:
        samples = list(_samples(metric, part, gauges))
        if samples:
            lines += [f"# HELP {metric.name} {metric.meaning}", f"# TYPE {metric.name} {metric.kind}", *samples]
    return "\n".join(lines) + "\n"


def added() -> dict[str, float]:
    """What was counted since the last time this was asked. A length of time is counted in the one bucket it fell in.

    It is asked at each call, so what stood still is not looked at.
    """
    found: dict[str, float] = {}
    for counter in names.COUNTERS:
        if counter.changed:
            found.update(_more(counter))
    for histogram in names.HISTOGRAMS:
        if histogram.changed:
            found.update(_longer(histogram))
    return found


def _more(counter: Counter) -> Iterator[tuple[str, float]]:
    counter.changed = False
    for values, count in counter.seen().items():
        before = _told.get((counter, values), 0)
        if count != before:
            _told[counter, values] = count
            yield _told_as(counter, counter.name, values), count - before


def _longer(histogram: Histogram) -> Iterator[tuple[str, float]]:
    histogram.changed = False
    for values, (fallen, total) in histogram.seen().items():
        before, summed = _told_times.get((histogram, values), ([0] * len(fallen), 0.0))
        if fallen == before:
            continue
        _told_times[histogram, values] = fallen, total
        yield _told_as(histogram, f"{histogram.name}_sum", values), round(total - summed, 6)
        for bound, now, then in zip((*histogram.bounds, "+Inf"), fallen, before, strict=True):
            if now != then:
                yield _told_as(histogram, f"{histogram.name}_bucket", values, f"{bound}"), now - then


_told: dict[tuple[Counter, Values], int] = {}
_told_times: dict[tuple[Histogram, Values], tuple[list[int], float]] = {}


@lru_cache(maxsize=1024)
def _told_as(metric: Metric, name: str, values: Values, bound: str = "") -> str:
    labels = dict(zip(metric.labels, values, strict=True))
    return _named(name, labels | {"le": bound} if bound else labels)


def _samples(metric: Metric, part: str, gauges: Standing) -> Iterator[str]:
    beginnings = metric.beginnings() if part in metric.parts else []
    if isinstance(metric, Histogram):
        yield from _cumulated(metric, beginnings)
        return
    values: Mapping[Values, float] = gauges.get(metric, {}) if isinstance(metric, Gauge) else {}
    if isinstance(metric, Counter):
        values = dict.fromkeys(beginnings, 0) | metric.seen()
    for of, value in values.items():
        yield f"{_named(metric.name, dict(zip(metric.labels, of, strict=True)))} {value!r}"


def _cumulated(metric: Histogram, beginnings: Iterable[Values]) -> Iterator[str]:
    """As Prometheus wants it: each bucket holds all that was not longer."""
    nothing = [0] * (len(metric.bounds) + 1)
    for values, (fallen, total) in (dict.fromkeys(beginnings, (nothing, 0.0)) | metric.seen()).items():
        labels, below = dict(zip(metric.labels, values, strict=True)), 0
        for bound, count in zip((*metric.bounds, "+Inf"), fallen, strict=True):
            below += count
            yield f"{_named(f'{metric.name}_bucket', labels | {'le': f'{bound}'})} {below}"
        yield f"{_named(f'{metric.name}_sum', labels)} {total:.6f}"
        yield f"{_named(f'{metric.name}_count', labels)} {below}"


def _named(name: str, labels: Mapping[str, str]) -> str:
    if not labels:
        return name
    told = ",".join(f'{label}="{_escaped(value)}"' for label, value in labels.items())
    return f"{name}{{{told}}}"


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
