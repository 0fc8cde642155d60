"""Who is there to be scraped: written for a Prometheus beside this stack, which reads it again by itself."""

import json
from collections.abc import Mapping

from local import state

FILE = state.HOME / "observe" / "targets.json"


def write(ports: Mapping[str, int]) -> None:
    """Every part with its port, replaced whole."""
    FILE.parent.mkdir(mode=0o755, exist_ok=True)
    found = [{"targets": [f"127.0.0.1:{port}"], "labels": {"part": name}} for name, port in sorted(ports.items())]
    draft = FILE.with_suffix(".draft")
    draft.write_text(json.dumps(found, indent=2))
    draft.replace(FILE)
