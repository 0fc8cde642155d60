"""What a batch adds to the metrics, once it is committed."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from common.edge.records import Record
from common.incidents.state import Played
from common.metrics import names
from functions.incident_engine.events import Events
from functions.incident_engine.places import Advance


def openers(played: Played) -> list[int]:
    """The places of the events that opened an incident: each is the first that its incident keeps."""
    if not played.opened:  # nearly always, and this is asked of every series of a batch
        return []
    opened = {incident.id for incident in played.opened}
    firsts: dict[str, int] = {}
    for kept in played.kept:
        if kept.incident in opened:
            firsts.setdefault(kept.incident, kept.event)
    return list(firsts.values())


def count(records: Sequence[Record], events: Events, advanced: Advance, counted: int) -> None:
    """`counted` of these events were; the others were counted before, by their offset or by their id."""
    redelivered = len(records) - len(advanced.fresh)
    readable = len(events.records)
    if redelivered:
        new = {id(records[at]) for at in advanced.fresh}
        readable = sum(id(record) in new for record in events.records)
    names.COUNTED.add(counted)
    names.DUPLICATES.add(redelivered, "redelivered")
    names.DUPLICATES.add(readable - counted, "repeated")
    names.PASSED_OVER.add(sum(move.missed for move in advanced.moves))


def detected(events: Events, opened_by: Iterable[int], now: datetime) -> None:
    for place in opened_by:
        names.DETECTION.observe((now - events.counted(place).received_at).total_seconds())
