"""Pages made from the code: `python -m local.reference` writes them, a test says when they are stale."""

from common.variables import ALSO_UNDERSTOOD, VARIABLES
from local import state

CONFIGURATION = state.ROOT / "docs/reference/configuration.md"
INTRODUCTION = """# Configuration

Made from `common/variables.py`. Every variable is read once, by `common/settings.py`; a secret prints as `*****`. A
variable that begins like one of these and is none of them is an error that names the nearest one. `make doctor` tries
every connection they name.

| variable | default | meaning |
|---|---|---|
"""


def configuration() -> str:
    """The table of variables."""
    rows = [f"| `{one.name}` | {f'`{one.default}`' if one.default else ''} | {one.meaning} |" for one in VARIABLES]
    others = ", ".join(f"`{theirs}` ({ours})" for theirs, ours in ALSO_UNDERSTOOD.items())
    return INTRODUCTION + "\n".join(rows) + f"\n\nAlso understood: {others}.\n"


if __name__ == "__main__":
    CONFIGURATION.write_text(configuration())
