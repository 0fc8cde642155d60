"""What people do to an incident, as forms: the same acts as the API's; what came too late says who was faster."""

from collections.abc import Callable

from common.clients.postgres import actions, ai, tokens, whole
from common.clients.postgres.actions import Act
from common.clients.postgres.whole import LastAct
from common.clients.stream import notices
from common.errors import Problem
from common.incidents.people import Person
from common.incidents.timeline import CLOCK, ENGINE
from functions.dashboard import stores
from functions.dashboard.pages import incident
from functions.dashboard.serving import Done, Sent, Shown
from functions.dashboard.words import spelled

LONGEST = 4_000
VERBS = {
    "acknowledged": "acknowledged",
    "unacknowledged": "took the acknowledgement of",
    "resolved": "resolved",
    "reopened": "reopened",
    "restored": "reopened",
}


def acknowledge(sent: Sent) -> Done | Shown:
    """Under investigation; and yours, if nobody has it."""
    act = act_of(sent)
    if (late := attempt(sent, lambda: actions.acknowledge(act))) is not None:
        return late
    mine = assignee(sent) is None
    if mine:
        actions.assign(act, act.person.name)
    return done(sent, "Acknowledged", "give-back" if mine else "unacknowledge")


def unacknowledge(sent: Sent) -> Done | Shown:
    act = act_of(sent)
    late = attempt(sent, lambda: actions.unacknowledge(act))
    return late or Done(page_of(sent), "It is open again.")


def give_back(sent: Sent) -> Done | Shown:
    """An acknowledgement that also assigned it is taken back with both."""
    act = act_of(sent)
    if (late := attempt(sent, lambda: actions.unacknowledge(act))) is not None:
        return late
    if assignee(sent) == act.person.name:
        actions.assign(act, None)
    return Done(page_of(sent), "It is open again, and nobody has it.")


def resolve(sent: Sent) -> Done | Shown:
    act = act_of(sent)
    late = attempt(sent, lambda: actions.resolve(act, stores.stream()))
    return late or done(sent, "Resolved", "reopen")


def reopen(sent: Sent) -> Done | Shown:
    act = act_of(sent)
    late = attempt(sent, lambda: actions.reopen(act, stores.stream()))
    return late or Done(page_of(sent), f"Reopened by you at {sent.reader.clock.minute(sent.reader.now)}.")


def assign(sent: Sent) -> Done | Shown:
    """To a person whose token is good, or to nobody."""
    name = sent.form.get("assignee", "")
    with stores.database.connection() as conn:
        if name and name not in tokens.people(conn, sent.reader.caller.org_id):
            return Shown(incident.page, page_of(sent), {"said": "No access token has this name any more."}, 404)
    actions.assign(act_of(sent), name or None)
    return Done(page_of(sent), f"Assigned to {name}." if name else "Nobody has it now.")


def comment(sent: Sent) -> Done | Shown:
    text = said(sent, "text")
    if not text:
        return Done(page_of(sent), "Nothing was written.")
    if len(text) > LONGEST:
        return refused(sent, f"A comment has at most {LONGEST:,} characters; this one has {len(text):,}.", 422)
    actions.comment(act_of(sent, text))
    return Done(f"{page_of(sent)}#timeline", "Comment added.")


def summarize(sent: Sent) -> Done | Shown:
    """Ask the model again; if a job waits or runs already, that is the one."""
    caller = sent.reader.caller
    with stores.database.connection() as conn:
        made = ai.summarize(conn, caller.org_id, sent.path["id"], caller.name, sent.reader.now)
        job = incident.theirs(made)
    notices.wake(stores.stream(), [job])
    return Done(page_of(sent), "The summary is being written.")


def attempt(sent: Sent, do: Callable[[], None]) -> Shown | None:
    """None if it was done; else the page says who was faster, with what was typed."""
    try:
        do()
    except Problem as problem:
        if problem.status != 409:
            raise
        return refused(sent, too_late(sent) or problem.detail, 409)
    return None


def too_late(sent: Sent) -> str:
    """Ana Ruiz acknowledged this 10 seconds ago."""
    with stores.database.connection() as conn:
        last = whole.last_act(conn, sent.reader.caller.org_id, sent.path["id"])
    return words_of(last, sent) if last else ""


def words_of(last: LastAct, sent: Sent) -> str:
    ago = spelled(sent.reader.now - last.done_at)
    if last.who in (ENGINE, CLOCK):
        return f"This was {'resolved' if last.what == 'resolved' else 'reopened'} by itself {ago} ago."
    who = "You" if last.who == sent.reader.caller.name else last.who
    return f"{who} {VERBS[last.what]} this {ago} ago."


def refused(sent: Sent, words: str, status: int) -> Shown:
    return Shown(incident.page, page_of(sent), {"said": words, "typed": dict(sent.form)}, status)


def done(sent: Sent, what: str, undo: str) -> Done:
    at = sent.reader.clock.minute(sent.reader.now)
    return Done(page_of(sent), f"{what} by you at {at}.", f"{page_of(sent)}/{undo}")


def act_of(sent: Sent, why: str | None = None) -> Act:
    person = Person(sent.reader.caller.name, said(sent, "why")[:LONGEST] if why is None else why)
    return Act(stores.database, sent.reader.caller.org_id, sent.path["id"], person, sent.reader.now)


def said(sent: Sent, field: str) -> str:
    """As it was typed, but for what no text can hold."""
    return sent.form.get(field, "").replace("\x00", "").replace("\r\n", "\n").strip()


def assignee(sent: Sent) -> str | None:
    with stores.database.connection() as conn:
        return whole.assignee(conn, sent.reader.caller.org_id, sent.path["id"])


def page_of(sent: Sent) -> str:
    return f"/incidents/{sent.path['id']}"


ACTS = {
    "acknowledge": acknowledge,
    "unacknowledge": unacknowledge,
    "give-back": give_back,
    "resolve": resolve,
    "reopen": reopen,
    "assign": assign,
    "comment": comment,
    "summarize": summarize,
}
