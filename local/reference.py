"""Pages made from the code: `python -m local.reference` writes them, a test says when they are stale."""

from common.metrics import names
from common.metrics.kinds import Metric
from common.variables import ALSO_UNDERSTOOD, FILES, VARIABLES
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
OF_FILES = """
## Secrets in files

Each of these names a file that holds the secret, and wins over the variable without `_FILE`:
{names}.

Such a file is read again whenever its secret is needed, so one that changes under a running process is a rotated
password, taken up with the next connection or request, at the brokers with the first login they refuse; what is
connected goes on. A variable belongs to its process: there a rotation is a new process. The user name at the brokers
never changes without one, and the poller shows the internal key it began with, so say `new,old` until it was restarted.
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
    return OF_CONFIGURATION + "\n".join(rows) + f"\n\nAlso understood: {others}.\n" + OF_FILES.format(names=_files())


def _files() -> str:
    return ", ".join(f"`{one.name}`" for one in FILES)


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
