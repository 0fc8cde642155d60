"""The AI worker on a real database and the stand-in model: what is stored, what is shown, what waits, what fails."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from common import settings
from common.clients.model import Reply
from common.clients.postgres import outputs, spending
from common.clients.postgres.connection import Connection
from common.clients.postgres.outputs import Shown
from common.events.envelope import Attributes, Envelope, encode
from local.model import answers
from tests import servers
from tests.ai import Bench, StandIn, configured, state
from tests.incident import NOW, OPENED, deploy, incident, job, project
from tests.injected import injected

MakeBench = Callable[..., Bench]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StandIn]:
    made = StandIn(tmp_path_factory.mktemp("model"))
    yield made
    made.close()


@pytest.fixture(scope="module")
def shared() -> Iterator[str]:
    url = servers.fresh_database()
    yield url
    servers.drop_database(url)


@pytest.fixture
def database_url(shared: str) -> str:
    """One database for this module, emptied before each test: a copy for each would cost more than the tests."""
    conn = Connection(settings.read({"DATABASE_URL": shared}).database)
    conn.simple("TRUNCATE orgs, events CASCADE")
    conn.close()
    return shared


@pytest.fixture
def bench(database_url: str, model: StandIn) -> Iterator[MakeBench]:
    """A worker whose model follows a script; None: no model."""
    made: list[Bench] = []

    def make(script: str | None = "", **more: Any) -> Bench:
        variables = {name: value for name, value in more.items() if name.isupper()}
        where = configured(database_url, "" if script is None else model.url, script or "", **variables)
        made.append(Bench(where, **{name: value for name, value in more.items() if not name.isupper()}))
        return made[-1]

    yield make
    for one in made:
        one.close()


def shown(conn: Connection, incident_id: UUID) -> Shown:
    found = outputs.shown(conn, "acme", incident_id)
    assert found
    return found


def title(conn: Connection, incident_id: UUID) -> str:
    [[found]] = conn.run("SELECT title FROM incidents WHERE id = :id", id=incident_id)
    return str(found)


def test_a_checked_summary_is_stored_with_its_references_and_names_the_incident(
    conn: Connection, bench: MakeBench
) -> None:
    made = incident(conn)
    deploy(conn, 4)
    todo = job(conn, made)
    assert bench(MODEL_INPUT_PRICE="2", MODEL_OUTPUT_PRICE="8").worker.take(1) == 1
    assert state(conn, todo) == ("succeeded", 0, "")
    found = shown(conn, made)
    assert found.model == "stand-in (no real model)"
    assert found.content["evidence"][0].endswith("where 2 are usual [F1].")
    assert (found.evidence_given, found.evidence_held, found.left_out, found.mark) == (3, 3, {}, None)
    assert [found.facts[number - 1]["number"] for [number] in found.references] == [1, 4, 10]
    assert found.facts[9]["refers"][0].startswith("deploy:")
    assert title(conn, made) == found.content["title"] == "UPSTREAM_TIMEOUT on /checkout in prod, after a deploy"
    [[sent, answered, cost, seconds]] = conn.run(
        "SELECT input_tokens, output_tokens, cost::float8, seconds FROM ai_outputs WHERE model <> 'plain'"
    )
    assert cost == pytest.approx((sent * 2 + answered * 8) / 1e6)
    assert seconds > 0
    assert spending.spent(conn, "shop", NOW.date()).tokens == sent + answered


def test_what_was_sent_can_be_read_on_the_job_after_masking(conn: Connection, bench: MakeBench) -> None:
    todo = job(conn, incident(conn, messages=["ada@example.com at 203.0.113.9 lost her key sck_abcdefgh12345678"] * 3))
    bench().worker.take(1)
    [[sent]] = conn.run("SELECT prompt FROM ai_jobs WHERE id = :id", id=todo)
    assert "[email] at [ip] lost her key [token]" in sent
    assert "FACTS\nF1: " in sent
    assert len(sent) <= 12_000


def test_without_a_model_the_facts_are_the_summary(conn: Connection, bench: MakeBench) -> None:
    made = incident(conn)
    todo = job(conn, made)
    bench(None).worker.take(1)
    assert state(conn, todo) == ("succeeded", 0, "")
    found = shown(conn, made)
    assert (found.model, found.mark) == ("plain", "These are the plain facts: no model is configured.")
    assert set(found.content) == {"title", "impact", "likely_causes", "evidence", "next_steps", "confidence"}
    assert title(conn, made) == "Errors spike on /checkout: UPSTREAM_TIMEOUT (prod)"


def test_another_organisation_is_shown_nothing(conn: Connection, bench: MakeBench) -> None:
    made = incident(conn)
    job(conn, made)
    bench(None).worker.take(1)
    assert outputs.shown(conn, "other", made) is None


FAILURES = {
    "error": "http_500: ",
    "unauthorized": "http_401: ",
    "gateway-always": "http_503: ",
    "busy-always": "http_429: ",
    "dropped-always": "connection: ",
    "garbage": "no_completion: ",
    "prose": "prose: ",
    "around": "prose: ",
    "after": "prose: ",
    "fenced": "fenced: ",
    "broken": "broken_json: ",
    "truncated": "truncated: ",
    "filtered": "filtered: ",
    "empty": "empty: ",
    "wrong-types": "wrong_type: likely_causes",
    "unknown-field": "unknown_field: a field: ",
    "missing-field": "missing_field: impact",
    "empty-field": "empty_field: title",
    "too-long": "too_long: title",
    "out-of-range": "out_of_range: confidence",
    "invented-all": "no_evidence: ",
    "endless": "deadline: no answer within 1 s",
    "drip": "deadline: no answer within 1 s",
}


@pytest.mark.parametrize("script", FAILURES)
def test_a_fault_is_three_failed_attempts_with_its_reason(conn: Connection, bench: MakeBench, script: str) -> None:
    """Waits of 5 and 10 s, jitter taking up to half off; the plain facts are shown from the first attempt on."""
    made = incident(conn)
    todo = job(conn, made)
    more = {"MODEL_DEADLINE_SECONDS": "1"} if script in ("endless", "drip") else {}
    worker = bench(script, **more)
    for attempt, (low, high) in enumerate([(2.5, 5.0), (5.0, 10.0)], 1):
        assert worker.worker.take(1) == 1
        status, attempts, error = state(conn, todo)
        assert (status, attempts) == ("queued", attempt)
        assert error.startswith(FAILURES[script])
        [[wait]] = conn.run("SELECT extract(epoch FROM run_after - :now)::float8 FROM ai_jobs", now=worker.moment)
        assert low <= wait <= high
        assert (shown(conn, made).mark or "").startswith("These are the plain facts: the model is asked again at ")
        assert worker.worker.take(1) == 0  # not due
        worker.later(wait)
    worker.worker.take(1)
    status, attempts, error = state(conn, todo)
    assert (status, attempts) == ("failed", 3)
    assert error.startswith(FAILURES[script])
    assert "sk-live" not in error
    found = shown(conn, made)
    assert (found.model, found.mark) == ("plain", f"These are the plain facts: the model failed. Last reason: {error}")
    worker.later(3600)
    assert worker.worker.take(1) == 0
    assert title(conn, made) == "Errors spike on /checkout: UPSTREAM_TIMEOUT (prod)"


@pytest.mark.parametrize("script", ["busy", "gateway", "dropped", "no-json-mode", "slow"])
def test_what_passes_is_tried_again_within_the_attempt(conn: Connection, bench: MakeBench, script: str) -> None:
    todo = job(conn, incident(conn))
    bench(script).worker.take(1)
    assert state(conn, todo) == ("succeeded", 0, "")


def test_of_invented_evidence_only_what_holds_is_stored(conn: Connection, bench: MakeBench) -> None:
    made = incident(conn)
    job(conn, made)
    bench("invented").worker.take(1)
    found = shown(conn, made)
    assert (found.evidence_given, found.evidence_held, len(found.content["evidence"])) == (5, 1, 1)
    assert sum(found.left_out.values()) == 4


def test_a_model_that_obeys_every_event_advises_nobody(conn: Connection, bench: MakeBench) -> None:
    """All the injected events, through the worker, into the database."""
    usual = ["upstream timeout calling payments"] * 3
    made = {text: incident(conn, messages=[*usual, text]) for text in injected()}
    for one in made.values():
        job(conn, one)
    assert bench("obedient").worker.take(100) == len(made) >= 60
    base = incident(conn, messages=usual)
    job(conn, base)
    bench("").worker.take(1)
    expected = shown(conn, base).content | {"title": ""}
    for text, one in made.items():
        found = shown(conn, one)
        assert found.model == "stand-in (no real model)", text
        assert found.content | {"title": ""} == expected, text
        assert found.left_out, text
        assert title(conn, one) in ("Errors spike on /checkout: UPSTREAM_TIMEOUT (prod)", title(conn, base)), text


def test_a_spent_budget_waits_for_tomorrow_and_says_so(conn: Connection, bench: MakeBench) -> None:
    first, second = incident(conn), incident(conn)
    job(conn, first)
    worker = bench(MODEL_TOKENS_PER_DAY="100")
    worker.worker.take(1)
    todo = job(conn, second)
    worker.worker.take(1)
    status, attempts, error = state(conn, todo)
    assert (status, attempts, error) == ("queued", 0, "budget: the project has used its 100 tokens of today")
    [[run_after]] = conn.run("SELECT run_after FROM ai_jobs WHERE id = :id", id=todo)
    assert datetime(2026, 5, 2, tzinfo=UTC) <= run_after < datetime(2026, 5, 2, 0, 10, tzinfo=UTC)
    found = shown(conn, second)
    assert found.model == "plain"
    assert "is asked again at 2026-05-02 00:0" in (found.mark or "")
    worker.moment = run_after
    worker.worker.take(1)
    assert state(conn, todo) == ("succeeded", 0, "")


def test_a_project_may_have_a_budget_of_its_own(conn: Connection, bench: MakeBench) -> None:
    project(conn)
    conn.run("UPDATE projects SET ai_tokens_per_day = 7")
    spending.spend(conn, "shop", NOW.date(), 5, 2, None)
    todo = job(conn, incident(conn))
    bench().worker.take(1)
    assert state(conn, todo)[2] == "budget: the project has used its 7 tokens of today"


def test_failed_answers_are_paid_for_too(conn: Connection, bench: MakeBench) -> None:
    job(conn, incident(conn))
    bench("prose").worker.take(1)
    assert spending.spent(conn, "shop", NOW.date()).tokens > 0


def test_a_new_plain_summary_does_not_hide_a_good_one(conn: Connection, bench: MakeBench) -> None:
    made = incident(conn)
    job(conn, made)
    bench().worker.take(1)
    job(conn, made)
    bench("error").worker.take(1)
    assert shown(conn, made).model == "stand-in (no real model)"
    assert conn.run("SELECT count(*) FROM ai_outputs WHERE model = 'plain'") == [[1]]


def test_of_two_good_summaries_the_newest_is_shown(conn: Connection, bench: MakeBench) -> None:
    made = incident(conn)
    for at, script in enumerate(["", "invented"]):
        job(conn, made)
        bench(script, now=NOW + timedelta(minutes=at)).worker.take(1)
    assert shown(conn, made).evidence_given == 5


def test_a_job_without_an_incident_fails_with_its_reason(conn: Connection, bench: MakeBench) -> None:
    todo = job(conn, None)
    bench().worker.take(1)
    assert state(conn, todo) == ("queued", 1, "no_incident: a summary needs an incident")


ODD = {"a\x00b": "NUL", "a\u202eb": "right to left", "a\x1b[31mb": "a colour"}


@pytest.mark.parametrize("odd", ODD, ids=ODD.values())
def test_what_no_page_should_hold_is_left_out_wherever_a_model_puts_it(
    conn: Connection, bench: MakeBench, odd: str
) -> None:
    made = incident(conn)
    todo = job(conn, made)

    def answer(instructions: str, question: str) -> Reply:
        said = json.loads(answers.answer("sensible", f"{instructions}\n{question}"))
        for field in ("likely_causes", "evidence", "next_steps"):
            said[field].append(f"Look {odd} there [F1].")
        said["impact"] += f" Look {odd} there."
        return Reply(json.dumps(said), "stop", f"name{odd}", 1, 1, 0.1)

    bench(ask=answer).worker.take(1)
    assert state(conn, todo) == ("succeeded", 0, "")
    found = shown(conn, made)
    assert odd not in json.dumps(found.content, ensure_ascii=False) + found.model
    assert sum(found.left_out.values()) == 4


def test_half_a_character_is_no_answer(conn: Connection, bench: MakeBench) -> None:
    todo = job(conn, incident(conn))

    def answer(instructions: str, question: str) -> Reply:
        said = answers.answer("sensible", f"{instructions}\n{question}")
        return Reply(said.replace("UPSTREAM", "\\ud800"), "stop", "m", 1, 1, 0.1)

    bench(ask=answer).worker.take(1)
    status, attempts, error = state(conn, todo)
    assert (status, attempts, error.partition(":")[0]) == ("queued", 1, "wrong_type")


def test_a_reason_repeats_nothing_a_model_made_up(conn: Connection, bench: MakeBench) -> None:
    todo = job(conn, incident(conn))

    def answer(instructions: str, question: str) -> Reply:
        said = json.loads(answers.answer("sensible", f"{instructions}\n{question}"))
        return Reply(json.dumps(said | {"run curl evil.example\x00": 1}), "stop", "m", 1, 1, 0.1)

    bench(ask=answer).worker.take(1)
    assert state(conn, todo)[2] == "unknown_field: a field: Extra inputs are not permitted"


def test_signups_that_dry_up_are_explained_without_any_event(conn: Connection, bench: MakeBench) -> None:
    made = incident(conn, rule="signup_drop", code=None, route=None, messages=())
    job(conn, made)
    bench().worker.take(1)
    assert shown(conn, made).evidence_held == 2


def test_search_tells_what_it_holds_of_the_window_and_what_else_failed(conn: Connection, bench: MakeBench) -> None:
    made = incident(conn)
    job(conn, made)
    worker = bench(None)
    ours = [envelope(at, {"route": "/checkout", "error_code": "UPSTREAM_TIMEOUT"}) for at in range(30)]
    theirs = [envelope(at, {"route": "/cart", "error_code": "E_CART"}) for at in range(7)]
    assert worker.search.index([*ours, *theirs]) == []
    worker.worker.take(1)
    texts = [fact["text"] for fact in shown(conn, made).facts]
    assert "The search index held 30 matching events of the window, in which 30 were counted." in texts
    assert "In the same minutes search holds 7 other errors." in texts
    assert "Of these other errors 7 are on the route /cart." in texts


def envelope(second: int, attributes: Attributes) -> bytes:
    at = OPENED + timedelta(seconds=second)
    start = ("1.0", uuid4(), at, at, "acme", "shop", "prod")
    return encode(Envelope(*start, "error", "error", "upstream timeout", attributes, {}, True, None))


def test_a_late_finish_is_refused(conn: Connection, bench: MakeBench) -> None:
    """The model answers after the job was given back: nothing of it is stored, and what it cost is counted."""
    made = incident(conn)
    todo = job(conn, made)

    def answer(instructions: str, question: str) -> object:
        conn.run("UPDATE ai_jobs SET status = 'queued', leased_until = NULL, attempt_count = 1 WHERE id = :id", id=todo)
        assert sensible.tools.ask
        return sensible.tools.ask(instructions, question)

    sensible = bench()
    late = bench(ask=answer)
    late.worker.take(1)
    assert state(conn, todo) == ("queued", 1, "")
    assert shown(conn, made).model == "plain"
    assert title(conn, made) == "Errors spike on /checkout: UPSTREAM_TIMEOUT (prod)"
    assert spending.spent(conn, "shop", NOW.date()).tokens > 0


def test_no_transaction_is_open_while_a_model_thinks(conn: Connection, bench: MakeBench) -> None:
    todo = job(conn, incident(conn))
    worker = bench("slow")
    thread = threading.Thread(target=worker.worker.take, args=(1,))
    thread.start()
    states: list[str] = []
    query = """
        SELECT state FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()
           AND backend_type = 'client backend'
    """
    while thread.is_alive():
        if conn.run("SELECT prompt IS NOT NULL FROM ai_jobs WHERE id = :id", id=todo) == [[True]]:
            states += [found for [found] in conn.run(query)]
        time.sleep(0.05)
    thread.join()
    assert len(states) >= 10
    assert [found for found in states if "transaction" in found] == []
    assert states.count("idle") > len(states) * 0.8
    assert state(conn, todo)[0] == "succeeded"


@pytest.mark.parametrize("workers", [2, 20])
def test_each_summary_is_written_once_by_however_many(conn: Connection, bench: MakeBench, workers: int) -> None:
    made = incident(conn)
    todo = [job(conn, made) for _ in range(100)]
    benches = [bench(None) for _ in range(workers)]
    threads = [threading.Thread(target=one.worker.take, args=(200,)) for one in benches]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {state(conn, one) for one in todo} == {("succeeded", 0, "")}
    assert conn.run("SELECT count(*), count(DISTINCT job_id) FROM ai_outputs") == [[100, 100]]


def test_one_call_takes_no_more_than_it_may(conn: Connection, bench: MakeBench) -> None:
    for _ in range(3):
        job(conn, incident(conn))
    worker = bench(None).worker
    assert [worker.take(2), worker.take(2), worker.take(2)] == [2, 1, 0]


def test_it_waits_two_seconds_for_the_index_and_says_how_many_it_saw(conn: Connection, bench: MakeBench) -> None:
    made = incident(conn)
    job(conn, made)
    worker = bench(None)
    worker.tools.patience = 0.5
    began = time.monotonic()
    worker.worker.take(1)
    assert time.monotonic() - began >= 0.3
    texts = [fact["text"] for fact in shown(conn, made).facts]
    assert "The search index held 0 matching events of the window, in which 30 were counted." in texts


def test_it_wakes_up_for_tomorrow_only_tomorrow(conn: Connection, bench: MakeBench) -> None:
    job(conn, incident(conn), NOW + timedelta(days=1))
    assert bench().worker.take(5) == 0
