"""`python -m local.scenarios` writes fixtures/scenarios: each scenario, and beside it what it must give."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

from local.scenarios.scene import Expected, Scene, time_of
from local.scenarios.scenes import scenes

FOLDER = Path(__file__).parents[2] / "fixtures" / "scenarios"
SHARES = {"error_spike": 12, "signup_drop": 4}  # of the hour before, which make the usual


def lines(scene: Scene) -> str:
    return "".join(json.dumps(one, separators=(",", ":")) + "\n" for one in scene.events)


def expectation(scene: Scene) -> str:
    """`counts` are by type, what is repeated counted once."""
    distinct = {one.get("event_id", place): one for place, one in enumerate(scene.events)}
    value = {
        "about": scene.about,
        "lines": len(scene.events),
        "counts": dict(sorted(Counter(one["event_type"] for one in distinct.values()).items())),
        "incidents": [incident(one) for one in scene.incidents],
    }
    return json.dumps(value, indent=2) + "\n"


def incident(one: Expected) -> dict[str, Any]:
    """With the names the API gives them."""
    return {
        "fingerprint": one.fingerprint,
        "rule": one.rule,
        "severity": one.severity,
        "status": "open" if one.resolved is None else "resolved",
        "opened_at": time_of(one.opened),
        "last_seen_at": time_of(one.last_seen),
        "resolved_at": None if one.resolved is None else time_of(one.resolved),
        "observed": one.observed,
        "usual": round(one.hour / SHARES[one.rule], 3),
        "peak": one.peak,
        "event_count": one.events,
        "recurrence": one.recurrence,
    }


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    for scene in scenes():
        (FOLDER / f"{scene.name}.ndjson").write_text(lines(scene))
        (FOLDER / f"{scene.name}.expected.json").write_text(expectation(scene))
        print(f"{scene.name:<24} {len(scene.events):>6} events, {len(scene.incidents)} incidents")


if __name__ == "__main__":
    main()
