"""What was counted in this process, as named numbers: the page Prometheus reads, or what one call has added."""

from __future__ import annotations

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
    """What was counted since the last time this was asked. A length of time is counted in the one bucket it fell in."""
    found: dict[str, float] = {}
    for name, value in _totals():
        if more := value - _told.get(name, 0):
            _told[name], found[name] = value, round(more, 6)
    return found


_told: dict[str, float] = {}


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


def _totals() -> Iterator[tuple[str, float]]:
    for counter in names.COUNTERS:
        for values, count in counter.seen().items():
            yield _named(counter.name, dict(zip(counter.labels, values, strict=True))), count
    for histogram in names.HISTOGRAMS:
        for values, (fallen, total) in histogram.seen().items():
            labels = dict(zip(histogram.labels, values, strict=True))
            yield _named(f"{histogram.name}_sum", labels), total
            for bound, count in zip((*histogram.bounds, "+Inf"), fallen, strict=True):
                yield _named(f"{histogram.name}_bucket", labels | {"le": f"{bound}"}), count


def _named(name: str, labels: Mapping[str, str]) -> str:
    if not labels:
        return name
    told = ",".join(f'{label}="{_escaped(value)}"' for label, value in labels.items())
    return f"{name}{{{told}}}"


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
