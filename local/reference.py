"""Pages made from the code: `python -m local.reference` writes them, a test says when they are stale."""

from common.metrics import names
from common.metrics.kinds import Metric
from common.variables import ALSO_UNDERSTOOD, VARIABLES
from local import state

CONFIGURATION = state.ROOT / "docs/reference/configuration.md"
METRICS = state.ROOT / "docs/reference/metrics.md"
OF_CONFIGURATION = """# Configuration

Made from `common/variables.py`. Every variable is read once, by `common/settings.py`; a secret prints as `*****`. A
variable that begins like one of these and is none of them is an error that names the nearest one. `make doctor` tries
every connection they name.

| variable | default | meaning |
|---|---|---|
"""
OF_METRICS = """# Metrics

Made from `common/metrics/names.py`. A process that lives serves them at `/metrics` in the text format of Prometheus:
every function under functions-framework or uvicorn, and the poller on `POLLER_PORT`. With `METRICS_TOKEN` set it must
be sent as `Authorization: Bearer`; without it the page is there only where the process was started to serve on
loopback, and not for whoever comes through a proxy. Run one worker a process: several would each have counters of
their own behind one address.

On AWS Lambda, DigitalOcean Functions and OpenWhisk nobody can ask a process that may be gone. There each call writes
one more line of JSON, `"message": "metrics"`, whose `counters` are what that call has added, named as on the page; a
length of time is counted in the one bucket it fell in, not in all above it. `LOG_LEVEL` must be `info` or `debug`.

A counter begins at zero with its process. How to watch them: [Watch it](../how-to/watch.md).

| metric | kind | meaning | labels | where |
|---|---|---|---|---|
"""


def configuration() -> str:
    """The table of variables."""
    rows = [f"| `{one.name}` | {f'`{one.default}`' if one.default else ''} | {one.meaning} |" for one in VARIABLES]
    others = ", ".join(f"`{theirs}` ({ours})" for theirs, ours in ALSO_UNDERSTOOD.items())
    return OF_CONFIGURATION + "\n".join(rows) + f"\n\nAlso understood: {others}.\n"


def metrics() -> str:
    """The table of metrics."""
    return OF_METRICS + "\n".join(_row(one) for one in names.ALL) + "\n"


def _row(one: Metric) -> str:
    labels = "; ".join(
        f"`{label}`: {', '.join(known)}" if known else f"`{label}`" for label, known in one.labels.items()
    )
    return f"| `{one.name}` | {one.kind} | {one.meaning} | {labels} | {', '.join(one.parts)} |"


if __name__ == "__main__":
    CONFIGURATION.write_text(configuration())
    METRICS.write_text(metrics())
