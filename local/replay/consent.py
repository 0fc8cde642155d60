"""What may be sent: nothing that is counted already, unless somebody says that he knows."""

from datetime import UTC, date, datetime, timedelta

from local.replay.reading import Facts
from local.sending.target import Api, Unusable

KNOWING = "--i-know-it-counts-twice"
MINUTE = timedelta(minutes=1)


def refuse_twice(api: Api, project: str, facts: Facts, shift: timedelta) -> None:
    """If the project has events between the first and the last of these."""
    first, last = facts.first + shift, facts.last + shift
    held = sum(sum(api.minutes(project, *span)) for span in spans(facts, shift))
    if held:
        where = f"project {project}" if project else "this organisation"
        raise Unusable(
            f"{where} already holds {held} events between {said(first)} and {said(last)}, and these would be counted "
            f"beside them. Send them into a new project (--project NAME), go on with an interrupted replay (--resume), "
            f"or say {KNOWING}."
        )


def spans(facts: Facts, shift: timedelta) -> list[tuple[datetime, datetime]]:
    """What is asked for: day by day, only days that have events, and of the first and last only their part."""
    moved: dict[date, tuple[datetime, datetime]] = {}
    for span in facts.days.values():
        for start, end in by_day(span[0] + shift, span[1] + shift):
            first, last = moved.get(start.date(), (start, end))
            moved[start.date()] = (min(first, start), max(last, end))
    return [(first.replace(second=0, microsecond=0), last + MINUTE) for first, last in moved.values()]


def by_day(first: datetime, last: datetime) -> list[tuple[datetime, datetime]]:
    """One span, cut at midnight."""
    midnight = datetime(last.year, last.month, last.day, tzinfo=UTC)
    if first >= midnight:
        return [(first, last)]
    return [(first, midnight - timedelta(microseconds=1)), (midnight, last)]


def said(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M}"
