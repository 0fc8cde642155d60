"""The bundles the clock wakes, and the migrations: by each platform's own trigger, and by a POST."""

import json
from typing import Any

import pytest

from local.bundles.declaration import CLOCK, JOB
from local.hosts.aws import Lambda
from local.hosts.openwhisk import OpenWhisk
from tests import servers
from tests.packaged.conftest import KEY, PLATFORMS, Deployments, each

RULE = json.loads((servers.ROOT / "fixtures" / "triggers" / "aws_schedule_rule.json").read_text())["event"]
SCHEDULED = json.loads((servers.ROOT / "fixtures" / "triggers" / "do_scheduled.json").read_text())["event"]


@pytest.mark.parametrize("platform", PLATFORMS)
@pytest.mark.parametrize("name", each(CLOCK, JOB))
def test_every_clock_job_runs(on: Deployments, name: str, platform: str) -> None:
    host = on(platform)(name)
    if isinstance(host, Lambda):
        outcome = host.invoke(RULE)
        assert outcome.error is None, outcome.error
        said = outcome.result
    elif isinstance(host, OpenWhisk):
        answer: dict[str, Any] = host.invoke(SCHEDULED)
        assert "error" not in answer, answer
        said = json.loads(answer["body"])
    else:
        posted = host.request("POST", "/", {"x-internal-key": KEY}, b"{}")
        assert posted.status == 200, posted.body
        said = posted.json()
    assert said == {"done": said["done"]}


def test_the_migration_job_makes_an_empty_database_ours(on: Deployments) -> None:
    owner = servers.postgres().connect()
    owner.run("CREATE DATABASE brand_new OWNER signals")
    url = servers.postgres().url(database="brand_new")
    host = on("aws").start_with("migrate", {"DATABASE_URL": url})
    assert isinstance(host, Lambda)
    try:
        assert host.invoke({}).result["done"] > 5
        assert host.invoke({}).result == {"done": 0}
    finally:
        host.stop()
        owner.run("DROP DATABASE brand_new WITH (FORCE)")
        owner.close()
