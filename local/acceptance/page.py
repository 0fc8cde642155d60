"""`python -m local.acceptance.page REPORT.json…`: docs/reference/acceptance.md, made from what acceptance wrote."""

import json
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

from local.state import ROOT

PAGE = ROOT / "docs" / "reference" / "acceptance.md"
HEAD = """# Acceptance, as it was run

`make acceptance DURATION=600`, once on each stack below: ten minutes of errors, and everything else on the list. This
page is made from the reports it wrote, by `python -m local.acceptance.page`; how to run it, and what each scenario
shows, is in [make traffic](../how-to/make-traffic.md#acceptance).
"""


def page(reports: list[dict[str, Any]]) -> str:
    return HEAD + "".join(map(of_stack, reports))


def of_stack(report: dict[str, Any]) -> str:
    scenarios, day = report["scenarios"], datetime.fromisoformat(report["began"]).date()
    held = sum(one["held"] for one in scenarios)
    head = f"\n## {report['stack']}, {day}: {held} of {len(scenarios)} scenarios held\n"
    return head + "".join(map(of_scenario, scenarios))


def of_scenario(one: dict[str, Any]) -> str:
    head = f"\n**{one['name']}**: {one['about']}.{'' if one['held'] else ' NOT HELD.'}\n\n"
    rows = ["| what | expected | seen |", "|---|---|---|", *map(row, one["checks"])]
    rows += [f"\nIt could not go on: {one['could_not']}"] if one["could_not"] else []
    return head + "\n".join(rows) + "\n"


def row(check: dict[str, Any]) -> str:
    """What was seen is shown where it is not what was expected, to the letter."""
    words = [check["what"], check["expected"], "as expected" if check["seen"] == check["expected"] else check["seen"]]
    words[-1] += "" if check["held"] else ", NOT HELD"
    return "| " + " | ".join(word.replace("|", "\\|") for word in words) + " |"


if __name__ == "__main__":
    PAGE.write_text(page([json.loads(Path(path).read_text()) for path in sys.argv[1:]]))
