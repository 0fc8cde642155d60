"""The job `incident_summary`: gather, write down the facts, ask the model, keep what code has re-checked."""

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

import msgspec

from common.clients.postgres import background, jobs, outputs, spending
from common.clients.postgres.jobs import Job
from common.clients.postgres.outputs import PLAIN, Output
from common.settings import Model
from common.summaries.background import Background
from common.summaries.facts import Fact, facts
from common.summaries.plain import plain
from common.summaries.prompt import Prompt, prompt
from common.summaries.tokens import runs
from functions.ai_worker import seen
from functions.ai_worker.outcome import Done, Failed, Later, Outcome

if TYPE_CHECKING:
    from common.clients.model import Reply
    from functions.ai_worker.work import Ask, Tools


def summarize(tools: "Tools", job: Job) -> Outcome:
    """Without a model the plain summary is the answer; with one it stands there until the model has answered."""
    if job.incident_id is None:
        return Failed("no_incident: a summary needs an incident")
    with tools.database.connection() as conn:
        known = background.load(conn, job.incident_id, tools.now())
    known = msgspec.structs.replace(known, seen=seen.look(tools.search, known, tools.patience))
    proved = facts(known)
    mine = plain_output(known, proved)
    if tools.ask is None or tools.settings.model is None:
        return Done(mine)
    question = prompt(known, proved)
    with tools.database.connection() as conn:
        outputs.keep_plain(conn, job, mine, tools.now())
        spent = spending.spent(conn, known.incident.project_id, today(tools))
        if later := over_budget(tools, tools.settings.model, known, spent):
            return later
        if not jobs.remember_prompt(conn, job, question.text, tools.now()):
            return Failed("lease: lost before the model was asked")
    return ask(tools, tools.ask, tools.settings.model, known, proved, question)


def ask(
    tools: "Tools", ask_model: "Ask", where: Model, known: Background, proved: list[Fact], question: Prompt
) -> Outcome:
    from common.clients.model import ModelFailed
    from common.summaries.answer import Flawed, read
    from common.summaries.checked import checked

    try:
        reply = ask_model(question.instructions, question.question)
    except ModelFailed as failed:
        return Failed(str(failed))
    cost = price(where, reply.input_tokens, reply.output_tokens)
    with tools.database.connection() as conn:
        tokens = (reply.input_tokens, reply.output_tokens)
        spending.spend(conn, known.incident.project_id, today(tools), *tokens, cost)
    try:
        found = checked(read(reply.text, reply.finish_reason), proved, runs(question.theirs))
    except Flawed as flawed:
        return Failed(str(flawed))
    return Done(
        Output(
            model=named(reply),
            content=found.content,
            facts=told(proved),
            references=found.references,
            evidence_given=found.given,
            evidence_held=len(found.references),
            left_out=found.left_out,
            input_tokens=reply.input_tokens,
            output_tokens=reply.output_tokens,
            cost=cost,
            seconds=reply.seconds,
        )
    )


def plain_output(known: Background, proved: list[Fact]) -> Output:
    content, references = plain(known, proved)
    held = len(references)
    return Output(
        model=PLAIN, content=content, facts=told(proved), references=references, evidence_given=held, evidence_held=held
    )


def told(proved: list[Fact]) -> list[dict[str, object]]:
    """As they are kept beside the summary: JSON, with what a reader is shown as their proof."""
    kept: list[dict[str, object]] = msgspec.to_builtins(proved)
    return kept


def named(reply: "Reply") -> str:
    """No model may call itself what we call our own."""
    name = "".join(one for one in reply.model if one.isprintable()).strip() or "unnamed"
    return name if name != PLAIN else f"{PLAIN} (a model)"


def over_budget(tools: "Tools", where: Model, known: Background, spent: spending.Spent) -> Later | None:
    """Waits for tomorrow, UTC, spread over its first minutes by the job's incident."""
    limit = spent.limit or where.tokens_per_day
    if spent.tokens < limit:
        return None
    spread = timedelta(seconds=known.incident.id.int % 600)
    tomorrow = datetime.combine(today(tools) + timedelta(days=1), datetime.min.time(), UTC)
    return Later(tomorrow + spread, f"budget: the project has used its {limit} tokens of today")


def today(tools: "Tools") -> date:
    return tools.now().astimezone(UTC).date()


def price(where: Model, input_tokens: int, output_tokens: int) -> float | None:
    """None where no price is configured: unknown is not nothing."""
    if not (where.input_price or where.output_price):
        return None
    return (input_tokens * where.input_price + output_tokens * where.output_price) / 1_000_000
