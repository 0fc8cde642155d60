"""What search knows of the opening window: waits two seconds at most for the index, and does without it if need be."""

from datetime import timedelta
from time import monotonic, sleep

from common.clients.search import Found, Question, Search, ask, incidents
from common.errors import Unavailable
from common.events.identity import shorten
from common.summaries.background import Background, Event, Seen, event_of

WAIT_SECONDS, PAUSE_SECONDS = 2.0, 0.2
MATCHES = 20


def look(search: Search, known: Background, patience: float = WAIT_SECONDS) -> Seen:
    """The events of the window themselves, and what else failed in it."""
    try:
        found = waited(search, of_window(known), known.incident.observed, patience)
        events = tuple(event_of(document) for document in found.events)
        routes = search.counts(others(known))
    except Unavailable:
        return Seen()
    mine = belongs(known, events)
    errors = dict(sorted(routes.route.items(), key=lambda one: -one[1])[:3])
    return Seen(True, found.total, mine, sum(routes.event_type.values()), errors)


def waited(search: Search, question: Question, wanted: int, patience: float) -> Found:
    """The index is usually a second behind; who waits longer would let people wait."""
    until = monotonic() + patience
    while (found := search.find(question, limit=MATCHES)).total < wanted and monotonic() + PAUSE_SECONDS < until:
        sleep(PAUSE_SECONDS)
    return found


def of_window(known: Background) -> Question:
    """Events of this kind in the window."""
    of = known.incident
    return _window(known, *incidents.own(of.rule, of.error_code, of.route))


def others(known: Background) -> Question:
    """The errors of the window that are not of this kind."""
    of = known.incident
    return _window(known, *incidents.others(of.rule, of.error_code, of.route))


def belongs(known: Background, events: tuple[Event, ...]) -> tuple[Event, ...]:
    route = known.incident.route
    return tuple(event for event in events if not route or shorten(event.attributes.get("route", "")) == route)


def _window(known: Background, q: str, event_type: str) -> Question:
    of = known.incident
    return ask(
        of.org_id,
        q,
        project_id=of.project_id,
        environment=of.environment,
        event_type=event_type,
        since=of.first,
        until=of.opened_at + timedelta(minutes=1),
    )
