"""How many rows a statement reads: told by its plan, run."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from common.clients.postgres.connection import Connection
from common.clients.postgres.quoting import render


def rows_read(conn: Connection, sql: str, values: Mapping[str, Any]) -> int:
    """By every scan of a table, those that were thrown away too."""
    [[plan]] = conn.run(f"EXPLAIN (ANALYZE, FORMAT JSON) {render(sql, dict(values))}")
    [root] = json.loads(plan) if isinstance(plan, str) else plan
    return sum(
        int(node["Actual Loops"]) * (node["Actual Rows"] + node.get("Rows Removed by Filter", 0))
        for node in nodes(root["Plan"])
        if "Relation Name" in node
    )


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for below in plan.get("Plans", []):
        yield from nodes(below)
