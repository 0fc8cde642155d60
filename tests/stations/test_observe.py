"""Alerts and dashboard: Prometheus' own tool plays the alerts, and both ask only for what is counted."""

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from common.metrics import names
from common.metrics.kinds import Histogram
from local.servers import process
from tests.servers import ROOT

HOME = ROOT / "local/observe"
HINT = "promtool comes with Prometheus: Debian's package `prometheus`."
RULES: list[dict[str, Any]] = yaml.safe_load((HOME / "alerts.yml").read_text())["groups"][0]["rules"]
DASHBOARD: dict[str, Any] = json.loads((HOME / "grafana/dashboard.json").read_text())
PANELS = [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]
QUERIES = [target["expr"] for panel in PANELS for target in panel["targets"]]
QUERIES += [one["expr"] for one in DASHBOARD["annotations"]["list"]]
OF_PROMETHEUS = {"le", "job", "part", "instance"}


def promtool(*words: str) -> str:
    tool = process.program("promtool", HINT)
    done = subprocess.run([tool, *words], cwd=HOME, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def series() -> dict[str, set[str]]:
    """Every name a query may ask for, with its labels."""
    found: dict[str, set[str]] = {"up": {"job", "part"}}
    for one in names.ALL:
        parts = ("_bucket", "_sum", "_count") if isinstance(one, Histogram) else ("",)
        found |= {one.name + part: set(one.labels) for part in parts}
    return found


def test_each_alert_fires_when_it_must_and_not_otherwise() -> None:
    assert "SUCCESS" in promtool("test", "rules", "alerts_test.yml")


def test_no_alert_is_untested() -> None:
    calm, broken, *_ = yaml.safe_load((HOME / "alerts_test.yml").read_text())["tests"]
    fires = {re.search(r'"(\w+)"', sample["labels"])[1] for sample in broken["promql_expr_test"][-1]["exp_samples"]}  # type: ignore[index]
    assert {rule["alert"] for rule in RULES} == {one["alertname"] for one in calm["alert_rule_test"]} == fires


def test_prometheus_reads_its_configuration() -> None:
    promtool("check", "config", "prometheus.yml")


def test_every_query_of_the_dashboard_can_be_read(tmp_path: Path) -> None:
    rules = [{"record": f"q{n}", "expr": expr.replace("$__rate_interval", "1m")} for n, expr in enumerate(QUERIES)]
    (tmp_path / "queries.yml").write_text(yaml.safe_dump({"groups": [{"name": "queries", "rules": rules}]}))
    promtool("check", "rules", str(tmp_path / "queries.yml"))


@pytest.mark.parametrize("expr", [*QUERIES, *(rule["expr"] for rule in RULES)])
def test_a_query_asks_for_what_is_counted(expr: str) -> None:
    known = series()
    asked = set(re.findall(r"\b(?:signals_\w+|up)\b", expr))
    assert asked
    assert asked <= known.keys(), expr
    labels = set(re.findall(r"(\w+)!?=~?\"", expr))
    labels |= {label for by in re.findall(r"by \(([^)]*)\)", expr) for label in by.split(", ")}
    assert labels <= OF_PROMETHEUS | {label for name in asked for label in known[name]}, expr


def test_every_metric_is_shown() -> None:
    """What nobody looks at is not worth counting."""
    shown = " ".join(QUERIES)
    assert [one.name for one in names.ALL if one.name not in shown] == []


def test_panels_do_not_lie_on_each_other() -> None:
    places = [(x, y) for panel in DASHBOARD["panels"] for x, y in squares(panel["gridPos"])]
    assert len(places) == len(set(places))


def squares(at: dict[str, int]) -> list[tuple[int, int]]:
    return [(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])]
