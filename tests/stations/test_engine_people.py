"""People act under the engine's lock: what they may do, what is refused, and what a shut gate changes."""

import json
from collections.abc import Iterator
from uuid import uuid4

import pytest

from common import settings
from common.clients.gate import Patience
from common.clients.postgres import actions
from common.clients.postgres.actions import Act
from common.clients.postgres.database import Database
from common.errors import Problem
from common.incidents.clock import time_of
from common.incidents.people import Person
from tests.cases import Step
from tests.counting import BASE, NOW, ORG, Desk, Log

BURST = [Step("event", 10)] * 30


@pytest.fixture
def desk(database: settings.Postgres) -> Iterator[Desk]:
    made = Desk(Database(2, lambda: database), Log(), "error")
    made.send(BURST)
    yield made
    made.close()


def act(desk: Desk, minute: int = 12, why: str = "seen to") -> Act:
    [[incident]] = desk.rows("SELECT id FROM incidents ORDER BY opened_at DESC LIMIT 1")
    return Act(desk.database, ORG, str(incident), Person("ana", why), time_of(BASE + minute))


def entries(desk: Desk) -> list[list[object]]:
    return desk.rows(f"SELECT who, what, why, minute_of(at) - {BASE} FROM incident_timeline ORDER BY id OFFSET 1")


def status(desk: Desk) -> str:
    return str(desk.rows("SELECT status FROM incidents ORDER BY opened_at DESC LIMIT 1")[0][0])


def test_acknowledge_and_back(desk: Desk) -> None:
    actions.acknowledge(act(desk))
    assert status(desk) == "investigating"
    actions.unacknowledge(act(desk, 13, "not mine"))
    assert status(desk) == "open"
    assert entries(desk) == [["ana", "acknowledged", "seen to", 12], ["ana", "unacknowledged", "not mine", 13]]


def test_assign_and_comment(desk: Desk) -> None:
    actions.assign(act(desk), "bea")
    actions.comment(act(desk, why="the bank's it's"))
    actions.assign(act(desk), None)
    assert desk.rows("SELECT assignee FROM incidents") == [[None]]
    assert [entry[1:3] for entry in entries(desk)] == [
        ["assigned", "to bea"],
        ["commented", "the bank's it's"],
        ["assigned", "to nobody"],
    ]


def test_resolve_and_reopen(desk: Desk) -> None:
    actions.resolve(act(desk), desk.log, NOW)
    desk.send([Step("event", 14)])
    [(outcome, _)] = desk.outcomes()
    assert (outcome.status, outcome.resolved_at, outcome.by_person, outcome.event_count) == ("resolved", 12, True, 30)
    actions.reopen(act(desk, 20), desk.log, NOW)
    [(outcome, last)] = desk.outcomes()
    assert (outcome.status, outcome.resolved_at, outcome.event_count, last) == ("open", None, 31, 14)


def test_where_time_was_quicker_it_is_said_and_kept(desk: Desk) -> None:
    with pytest.raises(Problem) as refused:
        actions.resolve(act(desk, 90), desk.log, NOW)
    assert (refused.value.code, refused.value.status) == ("already_resolved", 409)
    assert [entry[:2] for entry in entries(desk)] == [["clock", "resolved"]]


@pytest.mark.parametrize(
    ("what", "code"),
    [("unacknowledge", "not_acknowledged"), ("reopen", "not_resolved")],
)
def test_an_act_that_does_not_fit_is_refused(desk: Desk, what: str, code: str) -> None:
    with pytest.raises(Problem) as refused:
        getattr(actions, what)(act(desk), *([desk.log, NOW] if what == "reopen" else []))
    assert (refused.value.code, refused.value.status) == (code, 409)
    assert (status(desk), entries(desk)) == ("open", [])


def test_only_the_newest_incident_of_a_series_can_be_reopened_or_acknowledged(desk: Desk) -> None:
    first = act(desk, 80)
    desk.send([Step("event", 75)] * 30)
    for change, code in ((actions.acknowledge, "not_open"), (actions.unacknowledge, "not_acknowledged")):
        with pytest.raises(Problem) as refused:
            change(first)
        assert refused.value.code == code
    with pytest.raises(Problem) as refused:
        actions.reopen(first, desk.log, NOW)
    assert (refused.value.code, refused.value.status) == ("not_newest", 409)
    actions.comment(first)  # talking is always allowed


@pytest.mark.parametrize("incident", [str(uuid4()), "17", "'; DROP TABLE incidents", ""])
def test_what_is_not_there_is_not_found(desk: Desk, incident: str) -> None:
    nobody = Act(desk.database, ORG, incident, Person("ana"), time_of(BASE))
    for change in (actions.acknowledge, lambda it: actions.resolve(it, desk.log, NOW), actions.comment):
        with pytest.raises(Problem) as refused:
            change(nobody)
        assert refused.value.status == 404


def test_another_organisations_incident_is_not_there(desk: Desk) -> None:
    mine = act(desk)
    theirs = Act(mine.database, "rival", mine.incident_id, mine.person, mine.now)
    with pytest.raises(Problem) as refused:
        actions.resolve(theirs, desk.log, NOW)
    assert refused.value.status == 404
    assert status(desk) == "open"


def test_behind_a_shut_gate_a_person_acts_at_the_newest_minute_and_the_timeline_says_so(desk: Desk) -> None:
    desk.log.highs[0] += 1
    passed = [0.0]

    def sleep(seconds: float) -> None:
        passed[0] += seconds

    actions.resolve(act(desk, 90), desk.log, Patience(2, lambda: passed[0], sleep))
    assert 2 <= passed[0] < 2.2
    [(outcome, _)] = desk.outcomes()
    assert (outcome.resolved_at, outcome.by_person) == (10, True)
    [[_, _, why, minute]] = entries(desk)
    assert minute == 10
    assert "nothing was judged" in str(why)


def test_a_drop_found_while_catching_up_has_its_job(desk: Desk) -> None:
    signups = Desk(desk.database, desk.log, "signup", "signups", 1)
    signups.send([Step("event", minute) for minute in range(100) for _ in range(4)])
    signups.send([Step("event", 113)])
    [[drop]] = signups.rows("SELECT id::text FROM incidents WHERE project_id = :project")
    late = Act(desk.database, ORG, drop, Person("ana"), time_of(BASE + 200))
    with pytest.raises(Problem):
        actions.reopen(late, desk.log, NOW)
    told = [json.loads(notice)["job_id"] for notice in desk.log.notices]
    assert len(told) == len(desk.rows("SELECT id FROM ai_jobs")) == 2
