"""Two organisations that have the same of everything: neither sees the other's, on any route there is.

The walk is generated from the API's own description, so a new route is walked without being named here.
"""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from local.hosts.call import Answer
from tests.shop import START, Shop, Tenant

EVENT = str(uuid4())  # both have an event of this id
BY_ROUTE = "/v1/metrics/trends?by=route"


class Walk:
    """All operations of the description, asked about what is `owner`'s, as whoever."""

    def __init__(self, shop: Shop, owner: Tenant) -> None:
        self.shop, self.owner = shop, owner
        self.document: dict[str, Any] = shop.get("/openapi.json", "").json()
        self.incident = owner.incident()
        owner.summary(self.incident)
        owner.deploy()
        owner.activity(START, 3)
        self.job = owner.job(self.incident)
        [[self.token]] = shop.conn.run(
            "SELECT id::text FROM access_tokens WHERE org_id = :org AND name = 'viewer'", org=owner.org
        )
        shop.search.index([owner.envelope(event_id=EVENT)])

    def operations(self) -> Iterator[tuple[str, str, dict[str, Any]]]:
        for path, methods in self.document["paths"].items():
            for method, operation in methods.items():
                if path.startswith("/v1/"):
                    yield method.upper(), path, operation

    def target(self, path: str) -> str:
        kind = path.split("/")[2]
        ids = {"incidents": self.incident, "ai": self.job, "tokens": self.token, "projects": self.owner.project}
        return path.replace("{id}", ids.get(kind, "")).replace("{key_id}", self.owner.key_id)

    def call(self, method: str, target: str, operation: dict[str, Any], token: str) -> Answer:
        content = operation.get("requestBody", {}).get("content", {}).get("application/json")
        example = content["example"] if content else None
        if isinstance(example, dict) and "assignee" in example:
            example = {"assignee": None}  # a name of both would be somebody
        return self.shop.call(method, target, token, body=json.dumps(example).encode() if content else b"")

    def traces(self) -> list[str]:
        owner = self.owner
        return [owner.org, owner.project, self.incident, self.job, self.token, owner.key_id]


@pytest.fixture
def walks(tmp_path: Path, database_url: str) -> Iterator[tuple[Walk, Walk]]:
    shop = Shop(tmp_path, database_url).move_in()
    yield Walk(shop, shop.acme), Walk(shop, shop.tenant())
    shop.close()


def test_anothers_id_is_404_on_every_route_and_for_every_role(walks: tuple[Walk, Walk]) -> None:
    mine, theirs = walks
    walked = 0
    for method, path, operation in mine.operations():
        if "{" in path:
            refused = mine.call(method, theirs.target(path), operation, mine.owner.tokens["admin"])
            assert (refused.status, refused.json()["code"]) == (404, "not_found"), (method, path)
            missing = path.replace("{id}", str(uuid4())).replace("{key_id}", str(uuid4()))
            nothing = mine.call(method, missing, operation, mine.owner.tokens["admin"])
            assert nothing.body == refused.body, path  # as if it did not exist
            walked += 1
    assert walked >= 12
    assert unchanged(theirs)
    for method, path, operation in reversed(list(theirs.operations())):
        if "{" in path:  # the walk does name what is there
            answer = theirs.call(method, theirs.target(path), operation, theirs.owner.tokens["admin"])
            assert answer.status < 300 or answer.status == 409, (method, path, answer)


def test_nothing_of_another_is_in_any_answer(walks: tuple[Walk, Walk]) -> None:
    mine, theirs = walks
    for method, path, operation in mine.operations():
        if method == "GET":
            answer = mine.call(method, mine.target(path), operation, mine.owner.tokens["admin"])
            assert answer.status == 200, (path, answer)
            assert not [trace for trace in theirs.traces() if trace in answer.body.decode()], path
    mine.shop.conn.run("UPDATE access_tokens SET name = 'Ümlaut' WHERE org_id = :org", org=theirs.owner.org)
    assigned = mine.shop.post(
        f"/v1/incidents/{mine.incident}/assign", {"assignee": "Ümlaut"}, mine.owner.tokens["admin"]
    )
    assert assigned.status == 404  # a name of another organisation is nobody


def test_no_parameter_opens_anothers_door(walks: tuple[Walk, Walk]) -> None:
    mine, theirs = walks
    doors = {"project_id": theirs.owner.project, "incident_id": theirs.incident, "q": f"event_id:{EVENT}"}
    doors |= {"filters": f"project_id:{theirs.owner.project}"}
    walked = 0
    for method, path, operation in mine.operations():
        for parameter in operation.get("parameters", []):
            if method == "GET" and parameter["in"] == "query" and parameter["name"] in doors:
                target = f"{mine.target(path)}?{parameter['name']}={doors[parameter['name']]}"
                answer = mine.call(method, target, operation, mine.owner.tokens["admin"])
                assert answer.status in (200, 404), (target, answer)
                if answer.status == 200:
                    assert not [trace for trace in theirs.traces() if trace in answer.body.decode()], target
                walked += 1
    assert walked >= 8


def test_the_same_event_id_is_each_ones_own(walks: tuple[Walk, Walk]) -> None:
    for walk in walks:
        found = walk.shop.get(f"/v1/search/events?q=event_id:{EVENT}", walk.owner.tokens["viewer"]).json()
        assert [event["project_id"] for event in found["events"]] == [walk.owner.project]


def unchanged(walk: Walk) -> bool:
    [[status, assignee]] = walk.shop.conn.run("SELECT status, assignee FROM incidents WHERE id = :id", id=walk.incident)
    [[job]] = walk.shop.conn.run("SELECT status FROM ai_jobs WHERE id = :id", id=walk.job)
    [[revoked]] = walk.shop.conn.run(
        "SELECT (SELECT count(revoked_at) FROM project_api_keys WHERE project_id = :project) "
        "+ (SELECT count(revoked_at) FROM access_tokens WHERE org_id = :org)",
        project=walk.owner.project,
        org=walk.owner.org,
    )
    [[entries]] = walk.shop.conn.run("SELECT count(*) FROM incident_timeline WHERE incident_id = :id", id=walk.incident)
    return [status, assignee, job, revoked, entries] == ["open", None, "failed", 0, 1]


def test_what_another_does_changes_no_answer(walks: tuple[Walk, Walk]) -> None:
    mine, theirs = walks
    shop = mine.shop
    answers(mine)  # the first use of a token leaves its mark
    before = answers(mine)
    for status in ("queued", "failed", "succeeded"):
        theirs.owner.job(theirs.owner.incident(severity="critical", route=f"/{status}"), status)
    theirs.owner.deploy(release="43")
    theirs.owner.activity(datetime.now(UTC), 1_000)
    theirs.owner.token("admin", "another")
    shop.post("/v1/projects", {"id": f"{theirs.owner.project}-2", "name": "Two"}, theirs.owner.tokens["admin"])
    shop.post(f"/v1/projects/{theirs.owner.project}/keys", {"name": "k"}, theirs.owner.tokens["admin"])
    shop.search.index([theirs.owner.envelope(attributes={"route": "/theirs"}) for _ in range(3)])
    assert answers(mine) == before


def answers(walk: Walk) -> dict[str, object]:
    """To every GET there is, without the times that pass."""
    token = walk.owner.tokens["admin"]
    targets = [walk.target(path) for method, path, _ in walk.operations() if method == "GET"]
    return {target: timeless(walk.shop.get(target, token).json()) for target in [*targets, BY_ROUTE]}


def timeless(value: object) -> object:
    if isinstance(value, dict):
        return {name: timeless(one) for name, one in value.items() if name not in ("at", "since", "from", "to")}
    return [timeless(one) for one in value] if isinstance(value, list) else value
