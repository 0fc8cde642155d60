"""Schemathesis asks the running API everything its description allows, and much that it does not.

All checks: no server error, no undocumented answer, valid requests taken and invalid ones refused, no answer without a
token, nothing of one organisation's for another. `N=` asks for more examples of each operation.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.shop import START, Shop, Tenant

EXAMPLES = int(os.environ.get("N", "40"))  # of each operation
LEAST = 2_000
TAKEN = ["2xx", "304", "404", "409"]
# `from` and `to`, or a step and a stretch, may each be fine and yet not go together.
TOGETHER = ("/v1/incidents", "/v1/search/events", "/v1/search/counts", "/v1/metrics/trends")


@pytest.fixture
def shop(tmp_path: Path, database_url: str) -> Iterator[Shop]:
    shop = Shop(tmp_path, database_url).move_in()
    yield shop
    shop.close()


def fill(tenant: Tenant, shop: Shop) -> None:
    for n in range(4):
        incident = tenant.incident(route=f"/{n}")
        tenant.summary(incident)
        tenant.job(incident, ["failed", "queued", "succeeded", "failed"][n])
        tenant.deploy()
    tenant.activity(START, 7)
    shop.search.index([tenant.envelope() for _ in range(3)])


def configuration(folder: Path, shop: Shop, other: Tenant) -> Path:
    """Two administrators of two organisations, who must not see each other's things."""
    users = [("acme", shop.acme.tokens["admin"]), ("other", other.tokens["admin"])]
    auth = [
        {"name": name, "fixedHeaders": [{"name": "Authorization", "value": f"Bearer {token}"}]} for name, token in users
    ]
    (folder / "users.json").write_text(json.dumps({"auth": auth}))
    together = "".join(
        f"""
[[operations]]
include-path = "{path}"
checks.positive_data_acceptance.expected-statuses = {json.dumps([*TAKEN, "422"])}
"""
        for path in TOGETHER
    )
    path = folder / "schemathesis.toml"
    path.write_text(
        f"""
[auth.wfc]
path = "{folder / "users.json"}"
peers = ["acme", "other"]

[checks]
positive_data_acceptance.expected-statuses = {json.dumps(TAKEN)}
{together}"""
    )
    return path


def run(config: Path, port: int, report: Path) -> "subprocess.CompletedProcess[str]":
    words = [sys.executable, "-m", "schemathesis.cli", "--config-file", str(config), "run"]
    words += [f"http://127.0.0.1:{port}/openapi.json", "--checks", "all", "--max-examples", str(EXAMPLES)]
    words += ["--seed", "1", "--no-shrink", "--report", "json", "--report-json-path", str(report)]
    return subprocess.run(words, cwd=report.parent, capture_output=True, text=True, check=False, timeout=1200)


def test_every_answer_is_as_described_whatever_is_asked(shop: Shop, tmp_path: Path) -> None:
    other = shop.tenant()
    fill(shop.acme, shop)
    fill(other, shop)
    report = tmp_path / "report.json"
    done = run(configuration(tmp_path, shop, other), shop.host.port, report)
    assert done.returncode == 0, done.stdout[-8000:] + done.stderr[-2000:]
    said: dict[str, Any] = json.loads(report.read_text())
    assert cases(said) >= LEAST or EXAMPLES < 40
    assert [line for line in shop.host.lines() if line.get("status", 0) >= 500] == []


def cases(report: dict[str, Any]) -> int:
    return int(report["test_cases"]["generated"])
