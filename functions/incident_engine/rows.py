"""What is written of single events and of new incidents."""

from common.clients.postgres.counting import Deploy
from common.clients.postgres.outcomes import KeptEvent, Reached
from common.clients.postgres.series import Series
from common.detection.rules import DROP, SPIKE
from common.errors import Problem
from common.events.envelope import Envelope
from common.events.reading import decode_envelope
from common.incidents.state import Kept, Played
from common.incidents.title import title
from functions.incident_engine.events import Events, Unreadable


def title_of(series: Series) -> str:
    named, rule = series.fingerprint, SPIKE if series.metric == "error_count" else DROP
    return title(rule, series.environment, error_code=named.error_code, route=named.route, message=named.message)


def reached(events: Events, played: Played) -> Reached | None:
    if played.reached is None:
        return None
    counted = events.counted(played.reached)
    return Reached(counted.occurred_at, counted.received_at)


def kept_event(events: Events, kept: Kept) -> KeptEvent:
    one = _whole(events, kept.event)
    return KeptEvent(
        kept.incident,
        kept.slot,
        str(one.event_id),
        one.occurred_at,
        one.event_type,
        one.severity,
        one.message,
        one.attributes,
    )


def deploy(events: Events, place: int) -> Deploy:
    one = _whole(events, place)
    service, release = one.attributes.get("service"), one.attributes.get("release")
    return Deploy(
        one.org_id,
        one.project_id,
        one.environment,
        str(one.event_id),
        one.occurred_at,
        None if service is None else str(service),
        None if release is None else str(release),
        one.message,
    )


def _whole(events: Events, place: int) -> Envelope:
    try:
        return decode_envelope(events.records[place].value or b"")
    except Problem as problem:
        raise Unreadable(place, problem) from None
