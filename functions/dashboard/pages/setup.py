"""Setup: keys and how to send with them, whether the first event has come, tokens, and how one likes to read."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import msgspec

from common import settings
from common.clients.postgres import projects, tokens
from common.clients.postgres.paging import Beginning
from common.clients.postgres.projects import Counted
from common.clients.postgres.tokens import ROLES
from common.clients.search import ask
from common.errors import Problem, Unavailable
from functions.dashboard import stores
from functions.dashboard.reader import Reader
from functions.dashboard.serving import Asked, Page
from functions.dashboard.snippets import snippets

WAITING = 3  # seconds between looks, until something has come
LISTED = 100
NONE = Beginning([], 0)
MINUTE = timedelta(minutes=1)
FRESH = timedelta(hours=1)  # a first event as young as this is worth showing as it is
LIVES = {"": None, "30": "30 days", "90": "90 days", "365": "a year"}


class Secret(msgspec.Struct, frozen=True):
    """A key or token in a list: never the secret itself."""

    id: str
    name: str
    created_at: datetime
    revoked_at: datetime | None
    last_used_at: datetime | None
    project_id: str = ""
    role: str = ""
    expires_at: datetime | None = None


class Arrived(NamedTuple):
    """The first event of a project; of one that came long ago only its minute is known."""

    at: datetime
    severity: str
    environment: str
    message: str | None


def version(asked: Asked) -> object:
    """What the project that is waited for has sent first."""
    project = waited_for(asked)
    counted = projects.first_counted(asked.conn, asked.reader.caller.org_id, project) if project else None
    return project, counted


def values(asked: Asked) -> Mapping[str, object]:
    reader = asked.reader
    org, admin = reader.caller.org_id, reader.may("admin")
    assert isinstance(asked.version, tuple)
    project, counted = asked.version
    keys = projects.all_keys(asked.conn, org, LISTED) if admin else NONE
    people = tokens.all_tokens(asked.conn, org, reader.now, LISTED) if admin else NONE
    known, more_projects = listed(asked, project)
    return {
        "projects": known,
        "more_projects": more_projects,
        "project": project,
        "arrived": arrived(reader, project, counted),
        "keys": [msgspec.json.decode(key, type=Secret) for key in keys.items],
        "keys_in_all": keys.total,
        "tokens": [msgspec.json.decode(token, type=Secret) for token in people.items],
        "tokens_in_all": people.total,
        "snippets": snippets(settings.current().ingest_url, ""),
        "ingest_known": bool(settings.current().ingest_url),
        "roles": ROLES,
        "lives": LIVES,
        "made": None,  # what is shown this once
        "wrong": {},  # of which form, what
        "typed": {},
        "every": 0 if counted or not project else WAITING,
    }


def listed(asked: Asked, chosen: str) -> tuple[list[str], bool]:
    """The newest projects, the chosen one with them wherever it stands; and whether there are more."""
    page = projects.found(asked.conn, asked.reader.caller.org_id, LISTED, None)
    newest = [msgspec.json.decode(item)["id"] for item in page.items]
    return newest if chosen in ("", *newest) else [*newest, chosen], page.next is not None


def waited_for(asked: Asked) -> str:
    """The project the address names, else the newest; empty if there is none."""
    if project := asked.query.get("project"):
        projects.must_have(asked.conn, asked.reader.caller.org_id, project)
        return project
    newest = projects.found(asked.conn, asked.reader.caller.org_id, 1, None).items
    return str(msgspec.json.decode(newest[0])["id"]) if newest else ""


def arrived(reader: Reader, project: str, counted: Counted | None) -> Arrived | None:
    """Only search has its words; without them the minute is enough."""
    if counted is None:
        return None
    event: dict[str, Any] | None = None
    if reader.now - counted.at < FRESH:
        event = first_event(reader.caller.org_id, project, counted.at)
    if event is None:
        return Arrived(counted.at, counted.severity, counted.environment, None)
    return Arrived(
        datetime.fromisoformat(event["occurred_at"]), event["severity"], event["environment"], event["message"]
    )


def first_event(org: str, project: str, minute: datetime) -> dict[str, Any] | None:
    question = ask(org, project_id=project, since=minute, until=minute + MINUTE)
    try:
        found = stores.search().find(question, limit=200)
    except Unavailable:
        return None
    return found.events[-1] if found.events and found.next is None else None


def named(form: Mapping[str, str], what: str) -> str:
    """A name as the database takes it."""
    name = form.get("name", "").strip()
    if not name or len(name) > 128 or "\0" in name:
        raise Problem("invalid", f"Give the {what} a name of at most 128 characters.", field="name")
    return name


page = Page("setup.html", values, version)
