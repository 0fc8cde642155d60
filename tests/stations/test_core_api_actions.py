"""What people do through core_api: once is once, what is impossible is 409 with the present state, all is on record."""

from datetime import timedelta

import pytest

from local.hosts.call import Answer
from tests.shop import START, Shop


def burning(shop: Shop) -> str:
    """An incident that began a few minutes ago: time alone does not resolve it yet."""
    return shop.acme.incident(opened_at=START + timedelta(minutes=110))


def act(shop: Shop, incident: str, what: str, body: object = None) -> Answer:
    return shop.post(f"/v1/incidents/{incident}/{what}", body, shop.acme.tokens["responder"])


def timeline(shop: Shop, incident: str) -> list[tuple[str, str, str]]:
    entries = shop.get(f"/v1/incidents/{incident}").json()["timeline"]
    return [(entry["who"], entry["what"], entry["why"]) for entry in entries[1:]]


@pytest.mark.parametrize(
    ("before", "what", "after"),
    [
        ([], "acknowledge", "investigating"),
        (["acknowledge"], "unacknowledge", "open"),
        ([], "resolve", "resolved"),
        (["acknowledge"], "resolve", "resolved"),
        (["resolve"], "reopen", "open"),
    ],
)
def test_an_action_answers_the_new_state_and_twice_is_once(
    shop: Shop, before: list[str], what: str, after: str
) -> None:
    incident = burning(shop)
    for one in before:
        act(shop, incident, one)
    first = act(shop, incident, what, {"why": "because"})
    assert (first.status, first.json()["status"], first.json()["id"]) == (200, after, incident)
    entries = timeline(shop, incident)
    assert entries[-1][:2] == ("responder", f"{what}d" if what.endswith("e") else f"{what}ed")
    assert entries[-1][2].startswith("because")
    again = act(shop, incident, what)
    assert (again.status, again.json()) == (200, first.json())
    assert timeline(shop, incident) == entries


@pytest.mark.parametrize(
    ("before", "what", "code", "present"),
    [
        (["resolve"], "acknowledge", "not_open", "resolved"),
        (["resolve"], "unacknowledge", "not_acknowledged", "resolved"),
        (["acknowledge"], "reopen", "not_resolved", "investigating"),
    ],
)
def test_an_impossible_change_is_409_with_the_present_state(
    shop: Shop, before: list[str], what: str, code: str, present: str
) -> None:
    incident = burning(shop)
    for one in before:
        act(shop, incident, one)
    answer = act(shop, incident, what)
    assert (answer.status, answer.json()["code"]) == (409, code)
    assert answer.json()["incident"] == shop.get("/v1/incidents").json()["incidents"][0]
    assert answer.json()["incident"]["status"] == present


def test_only_the_newest_of_a_series_is_opened_again(shop: Shop) -> None:
    old, new = shop.acme.incident(status="resolved"), burning(shop)
    query = "UPDATE incidents SET series = (SELECT series FROM incidents WHERE id = :new) WHERE id = :old"
    shop.conn.run(query, new=new, old=old)
    answer = act(shop, old, "reopen")
    assert (answer.status, answer.json()["code"], answer.json()["incident"]["id"]) == (409, "not_newest", old)


def test_an_incident_is_assigned_to_people_only(shop: Shop) -> None:
    incident = burning(shop)
    for _ in range(2):
        assert act(shop, incident, "assign", {"assignee": "viewer"}).json()["assignee"] == "viewer"
    assert act(shop, incident, "assign", {"assignee": None}).json()["assignee"] is None
    assert [why for _, _, why in timeline(shop, incident)] == ["to viewer", "to nobody"]
    nobody = act(shop, incident, "assign", {"assignee": "nobody"})
    assert (nobody.status, nobody.json()["code"]) == (404, "unknown_person")


def test_a_comment_said_twice_in_a_row_is_one(shop: Shop) -> None:
    incident = burning(shop)
    for text in ("a", "a", "b", "a", "<b>é 'quoted'</b>"):
        assert act(shop, incident, "comment", {"text": text}).status == 200
    assert [why for _, _, why in timeline(shop, incident)] == ["a", "b", "a", "<b>é 'quoted'</b>"]
    for body in ({"text": ""}, {"text": "\0"}, {"text": "x" * 4001}, {}, {"text": "x", "who": "me"}):
        assert act(shop, incident, "comment", body).status == 422


def test_a_summary_is_asked_for_once(shop: Shop) -> None:
    incident = burning(shop)
    first, second = act(shop, incident, "summarize"), act(shop, incident, "summarize")
    assert (first.status, first.json()["status"], first.json()["incident_id"]) == (202, "queued", incident)
    assert second.json()["id"] == first.json()["id"]
    shop.conn.run("UPDATE ai_jobs SET status = 'succeeded' WHERE id = :id", id=first.json()["id"])
    assert act(shop, incident, "summarize").json()["id"] != first.json()["id"]
    assert timeline(shop, incident) == [("responder", "summary_asked", "")] * 2


def test_a_failed_job_is_tried_again_and_a_finished_one_is_not(shop: Shop) -> None:
    incident = burning(shop)
    token = shop.acme.tokens["responder"]
    failed, done = shop.acme.job(incident), shop.acme.job(incident, "succeeded")
    for _ in range(2):
        answer = shop.post(f"/v1/ai/jobs/{failed}/retry", token=token)
        assert (answer.status, answer.json()["status"], answer.json()["attempt_count"]) == (200, "queued", 0)
    assert timeline(shop, incident) == [("responder", "summary_asked", "")]
    answer = shop.post(f"/v1/ai/jobs/{done}/retry", token=token)
    assert (answer.status, answer.json()["code"], answer.json()["job"]["id"]) == (409, "not_failed", done)


def test_secrets_are_shown_once_and_work_until_revoked(shop: Shop) -> None:
    made = shop.post("/v1/tokens", {"name": "anna", "role": "responder"})
    assert made.status == 201
    token = made.json()["token"]
    assert shop.get("/v1/projects", token).status == 200
    admin = shop.acme.tokens["admin"]
    listed = shop.get("/v1/tokens", admin).json()["tokens"]
    assert token not in str(listed)
    assert {name: value for name, value in made.json().items() if name != "token"} | {"last_used_at": None} == (
        listed[0] | {"last_used_at": None}
    )
    for _ in range(2):
        revoked = shop.post(f"/v1/tokens/{made.json()['id']}/revoke").json()
        assert revoked["revoked_at"]
    key = shop.post(f"/v1/projects/{shop.acme.project}/keys", {"name": "new"})
    assert key.json()["key"].startswith("sck_")
    revoked = shop.post(f"/v1/projects/{shop.acme.project}/keys/{key.json()['id']}/revoke").json()
    assert revoked["revoked_at"]
    assert key.json()["key"] not in str(shop.get(f"/v1/projects/{shop.acme.project}/keys", admin).json())


@pytest.mark.parametrize("name", ["engine", " Clock "])
def test_nobody_is_called_what_timelines_call_that_which_happens_by_itself(shop: Shop, name: str) -> None:
    refused = shop.post("/v1/tokens", {"name": name, "role": "responder"})
    assert (refused.status, refused.json()["code"], refused.json()["field"]) == (422, "reserved_name", "name")


def test_making_and_revoking_leave_rows(shop: Shop) -> None:
    project = f"{shop.acme.project}-2"
    assert shop.post("/v1/projects", {"id": project, "name": "Two"}).status == 201
    taken = shop.post("/v1/projects", {"id": project, "name": "Two"})
    assert (taken.status, taken.json()["code"]) == (409, "taken")
    key = shop.post(f"/v1/projects/{project}/keys", {"name": "k"}).json()
    token = shop.post("/v1/tokens", {"name": "anna", "role": "viewer", "expires_at": "2030-01-01T00:00:00Z"}).json()
    for _ in range(2):
        shop.post(f"/v1/projects/{project}/keys/{key['id']}/revoke")
        shop.post(f"/v1/tokens/{token['id']}/revoke")
    query = "SELECT who, what, kind, subject FROM audit WHERE org_id = :org ORDER BY id"
    assert shop.conn.run(query, org=shop.acme.org) == [
        ["admin", "created", "project", project],
        ["admin", "created", "key", key["id"]],
        ["admin", "created", "token", token["id"]],
        ["admin", "revoked", "key", key["id"]],
        ["admin", "revoked", "token", token["id"]],
    ]
    [[details]] = shop.conn.run(
        "SELECT string_agg(details::text, '') FROM audit WHERE org_id = :org", org=shop.acme.org
    )
    assert key["key"] not in details
    assert token["token"] not in details
