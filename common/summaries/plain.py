"""The plain summary: the facts themselves in the form of an answer, where no model has spoken."""

from collections.abc import Sequence
from typing import Any

from common.summaries.background import Background
from common.summaries.facts import Fact, span, tidy, tidy_route, usually
from common.summaries.mask import mask

CAUSE_MINUTES = 60
LONGEST_TITLE = 120


def plain(known: Background, facts: Sequence[Fact]) -> tuple[dict[str, Any], list[list[int]]]:
    """The content and its references. It claims no cause it cannot prove, so its confidence is zero."""
    content = {
        "title": mask(" ".join(known.incident.title.split()))[:LONGEST_TITLE],
        "impact": _impact(known),
        "likely_causes": _causes(known),
        "evidence": [f"{fact.text} [F{fact.number}]" for fact in facts],
        "next_steps": _steps(known),
        "confidence": 0.0,
    }
    return content, [[fact.number] for fact in facts]


def _impact(known: Background) -> str:
    of = known.incident
    return (
        f"{of.event_count} {known.noun} since {of.first:%Y-%m-%d %H:%M} UTC; when it opened, {of.observed} "
        f"in {of.window_minutes} minutes, where {usually(of.usual)}."
    )


def _causes(known: Background) -> list[str]:
    """Only what began shortly before can have caused it."""
    found = []
    for deploy in known.deploys:
        minutes = round((known.incident.opened_at - deploy.occurred_at).total_seconds() / 60)
        if 0 <= minutes <= CAUSE_MINUTES:
            found.append(f"Possibly the deploy of {tidy(deploy.release) or 'a release'}, {span(minutes)} before.")
    return found or ["No cause is known: nothing was deployed in the hour before it opened."]


def _steps(known: Background) -> list[str]:
    of = known.incident
    route, code = tidy_route(of.route), tidy(of.error_code)
    what = " and ".join([f"the error code {code}"] * bool(code) + [f"the route {route}"] * bool(route))
    steps = [f"Look at the newest events with {what}." if what else f"Look at the newest {known.noun}."]
    if _causes(known)[0].startswith("Possibly"):
        steps.append("Compare with the release before; if it began with the deploy, roll back.")
    if known.together:
        steps.append("Look at the incidents that began together with it.")
    return steps
