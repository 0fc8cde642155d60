"""What the rule sees of an incident, from the counts its row or its page has read."""

from msgspec.structs import replace

from common.clients.postgres.rows import BARS, BEFORE, Row
from common.detection.readings import Own, Reading, readings
from common.detection.rules import MINUTES
from common.detection.series import counts_of
from common.incidents.incident import Incident


def own_of(incident: Incident) -> Own:
    """The hour it opened with, in the minutes in which it was not over: also those before a person resolved it."""
    unresolved = replace(incident, by_person=None)
    return lambda minute: unresolved.own(minute) if minute <= incident.until else None


def of(row: Row, first: int, last: int) -> list[Reading]:
    return readings(row.rule, counts_of(row.counts), first, last, own_of(row.incident))


def hour_of(row: Row) -> list[Reading]:
    """The last hour; of a resolved incident the hour around it."""
    first = row.incident.opened_at - BEFORE if row.status == "resolved" else row.newest - BARS + 1
    return of(row, first, min(first + BARS - 1, row.newest))


def newest_of(row: Row) -> Reading | None:
    """Of an incident that was resolved after a day: how high it is now, if the rows say it."""
    if row.status != "resolved" or not row.is_newest:
        return None
    first = row.newest - MINUTES[row.rule] + 1
    observed = sum(count for minute, count in row.counts.items() if first <= minute <= row.newest)
    return Reading(row.newest, row.counts.get(row.newest, 0), observed, None, False)
