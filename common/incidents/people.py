"""What people do to an incident: each act answers the new state and its entry in the timeline, or why it is refused.

Acknowledge, assign and comment ask nothing. Resolve and reopen need the series brought up to date first.
"""

from typing import NamedTuple

from common.incidents import incident as life
from common.incidents.course import MakeId
from common.incidents.incident import Incident
from common.incidents.play import Player
from common.incidents.state import Played, State
from common.incidents.timeline import CLOCK, Entry, What


class Refusal(NamedTuple):
    """The incident is not in a state for this: 409."""

    code: str
    detail: str


class Person(NamedTuple):
    name: str
    why: str = ""


class Moment(NamedTuple):
    """Series time, and the minute before which all are known to be complete: None where the gate stayed shut."""

    minute: int
    complete: int | None


NOT_OPEN = Refusal("not_open", "Only an open incident can be acknowledged.")
NOT_INVESTIGATING = Refusal("not_acknowledged", "The incident is not being investigated.")
ALREADY_RESOLVED = Refusal("already_resolved", "The incident is resolved already.")
NOT_RESOLVED = Refusal("not_resolved", "The incident is not resolved.")
NOT_NEWEST = Refusal("not_newest", "A later incident of the same series has been opened.")
BEHIND = "The series was behind: this was done at its newest minute, and nothing was judged."


def acknowledge(incident: Incident, person: Person, minute: int | None) -> tuple[Incident, Entry] | Refusal:
    if incident.status != "open":
        return NOT_OPEN
    return life.acknowledged(incident), _entry(incident, "acknowledged", person, minute)


def unacknowledge(incident: Incident, person: Person, minute: int | None) -> tuple[Incident, Entry] | Refusal:
    if incident.status != "investigating":
        return NOT_INVESTIGATING
    return life.unacknowledged(incident), _entry(incident, "unacknowledged", person, minute)


def assign(incident_id: str, assignee: str | None, by: str, minute: int | None) -> Entry:
    """To a person, or to nobody."""
    return Entry(incident_id, minute, by, "assigned", f"to {assignee}" if assignee else "to nobody")


def comment(incident_id: str, person: Person, minute: int | None) -> Entry:
    return Entry(incident_id, minute, person.name, "commented", person.why)


def resolve(
    state: State, incident_id: str, person: Person, moment: Moment, make_id: MakeId
) -> tuple[Played, Refusal | None]:
    """In this minute of the series; refused where time has done it. What was judged is to be written all the same."""
    player, minute = _up_to_date(state, moment, make_id)
    incident = player.course.incident
    if incident is None or incident.id != incident_id or incident.status == "resolved":
        return player.played(), ALREADY_RESOLVED
    after = life.resolved_by_person(incident, minute)
    player.course.become(after, _entry(after, "resolved", person, minute, moment))
    return player.played(), None


def reopen(
    state: State, incident_id: str, person: Person, moment: Moment, make_id: MakeId
) -> tuple[Played, Refusal | None]:
    """The newest of its series only. The state must have the rows from `incident.until` on: they become its own."""
    player, minute = _up_to_date(state, moment, make_id)
    before = player.course.incident
    if before is None or before.id != incident_id:
        return player.played(), NOT_NEWEST
    if before.status != "resolved":
        return player.played(), NOT_RESOLVED
    after = life.reopened(before, minute)
    player.course.become(after, _entry(after, "reopened", person, minute, moment))
    if after.until > before.until:
        player.course.take_in(before.until + 1, after.until)
    return player.played(), None


def _up_to_date(state: State, moment: Moment, make_id: MakeId) -> tuple[Player, int]:
    """As the clock would; never before the newest minute, whose events are counted."""
    player = Player(state, make_id, CLOCK)
    if moment.complete is None:
        return player, player.newest
    minute = max(moment.minute, player.newest)
    player.catch_up(moment.complete)
    player.settle(minute)
    return player, minute


def _entry(incident: Incident, what: What, person: Person, minute: int | None, moment: Moment | None = None) -> Entry:
    shut = moment is not None and moment.complete is None
    return Entry(incident.id, minute, person.name, what, f"{person.why} {BEHIND}".strip() if shut else person.why)
