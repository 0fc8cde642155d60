"""What the stack has made of everything, compared with a plain count of what was accepted and with the reference."""

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing
from typing import Any

from common import settings
from common.clients.postgres.connection import Connection
from common.clients.search import ask, search_for
from local.soak.reference import Reference
from local.soak.sender import Ledger
from local.soak.stack import OwnStack

PAGE, FEW = 500, 3
BY_TYPE = "SELECT event_type, sum(value)::int FROM activity GROUP BY event_type"
BY_CODE = """
    SELECT split_part(fingerprint, '|', 1), sum(value)::int FROM buckets JOIN series ON series.id = buckets.series
     GROUP BY fingerprint
"""
INCIDENTS = """
    SELECT error_code, minute_of(opened_at), minute_of(last_seen_at), event_count, peak, severity,
           (SELECT count(*) FROM ai_jobs WHERE incident_id = incidents.id)::int,
           status <> 'resolved' OR resolved_at = last_seen_at + interval '1 hour'
      FROM incidents ORDER BY error_code, opened_at
"""


class Total:
    """Several ledgers as one. A series belongs to one sender, so its order is kept."""

    def __init__(self, ledgers: Sequence[Ledger]) -> None:
        self.errors = {one: code for ledger in ledgers for one, code in ledger.errors.items()}
        self.feedback = {one for ledger in ledgers for one in ledger.feedback}
        self.order = [pair for ledger in ledgers for pair in ledger.order]
        self.unanswered = sum(ledger.unanswered for ledger in ledgers)
        self.wrong = [line for ledger in ledgers for line in ledger.wrong]

    def incidents(self) -> list[list[Any]]:
        """What each series becomes, one event at a time; an incident has one AI job."""
        references: dict[str, Reference] = {}
        for code, minute in self.order:
            references.setdefault(code, Reference("error")).event(minute)
        found = []
        for code, reference in references.items():
            reference.recount()
            for one in reference.incidents:
                said = [one[name] for name in ("opened", "seen", "number", "peak", "severity")]
                found.append([code, *said, 1, True])
        return sorted(found)


def differences(stack: OwnStack, total: Total) -> list[str]:
    """A line for each thing that is not as it must be."""
    return [*_answers(total), *_counts(stack, total), *_search(stack, total), *_dead(stack)]


def _answers(total: Total) -> Iterator[str]:
    if total.wrong:
        yield f"{len(total.wrong)} answers were wrong, such as: {total.wrong[0]}"


def _counts(stack: OwnStack, total: Total) -> Iterator[str]:
    with closing(Connection(settings.read(stack.connections()).database)) as conn:
        by_type = Counter({row[0]: row[1] for row in conn.run(BY_TYPE)})
        by_code = Counter({row[0]: row[1] for row in conn.run(BY_CODE)})
        incidents = conn.run(INCIDENTS)
    if by_type["error"] != len(total.errors):
        yield f"{len(total.errors)} errors were accepted, {by_type['error']} are counted"
    if by_code != (wanted := Counter(total.errors.values())):
        yield from _apart("counts of the error codes", sorted(wanted.items()), sorted(by_code.items()))
    if not len(total.feedback) <= by_type["feedback"] <= len(total.feedback) + total.unanswered:
        yield f"{len(total.feedback)} to {total.unanswered} more feedbacks are there, {by_type['feedback']} are counted"
    if others := by_type.keys() - {"error", "feedback"}:
        yield f"nothing of these types was sent: {sorted(others)}"
    if incidents != (expected := total.incidents()):
        yield from _apart("incidents", expected, incidents)


def _search(stack: OwnStack, total: Total) -> Iterator[str]:
    errors, feedback = _searchable(stack, "error"), _searchable(stack, "feedback")
    yield from _apart("errors in search", sorted(total.errors), sorted(errors))
    missing = sorted(total.feedback - set(feedback))
    if missing or len(feedback) != len(set(feedback)):
        yield f"{len(missing)} feedbacks are not in search, {len(feedback) - len(set(feedback))} twice: {missing[:FEW]}"
    with closing(Connection(settings.read(stack.connections()).database)) as conn:
        counted = {row[0]: row[1] for row in conn.run(BY_TYPE)}.get("feedback", 0)
    if counted != len(feedback):
        yield f"{counted} feedbacks are counted, {len(feedback)} are in search"


def _searchable(stack: OwnStack, kind: str) -> list[str]:
    found: list[str] = []
    with closing(search_for(settings.read(stack.connections()))) as search:
        cursor: str | None = ""
        while cursor is not None:
            page = search.find(ask("demo", event_type=kind), limit=PAGE, cursor=cursor or None)
            found += [one["event_id"] for one in page.events]
            cursor = page.next
    return found


def _dead(stack: OwnStack) -> Iterator[str]:
    letters = [json.loads(line) for line in stack.say("dead", "list", "--all", "--json").splitlines()]
    if letters:
        first = " ".join(letters[0][name] for name in ("station", "code", "detail"))
        yield f"{len(letters)} dead letters, such as: {first}"


def _apart(what: str, expected: Sequence[Any], seen: Sequence[Any]) -> Iterator[str]:
    """What only one side has."""
    one, two = (Counter(map(str, rows)) for rows in (expected, seen))
    if one != two:
        missing, beside = list((one - two).elements()), list((two - one).elements())
        yield f"{what}: {len(missing)} are missing: {missing[:FEW]}, {len(beside)} are too many: {beside[:FEW]}"
