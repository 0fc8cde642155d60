"""What the rule sees of an incident, from the counts its row or its page has read."""

from common.clients.postgres.rows import BARS, BEFORE, Row
from common.detection.readings import Own, Reading, readings
from common.detection.rules import MINUTES
from common.incidents.incident import DAY, Incident


def own_of(incident: Incident) -> Own:
    """The hour it opened with, in its day while it was not over: also in the minutes before a person resolved it."""
    return Own(incident.hour, incident.opened_at, min(incident.opened_at + DAY, incident.until))


def of(row: Row, first: int, last: int) -> list[Reading]:
    return readings(row.rule, row.counts, first, last, own_of(row.incident))


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
