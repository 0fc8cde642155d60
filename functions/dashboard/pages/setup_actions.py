"""What Setup's forms do: make and revoke keys and tokens, make a project, keep preferences."""

import os
import re
from collections.abc import Callable
from datetime import datetime, timedelta

import msgspec
from starlette.responses import Response

from common import settings
from common.clients.postgres import projects, tokens
from common.clients.postgres.connection import Conflict
from common.clients.postgres.paging import LABEL
from common.clients.postgres.tokens import ROLES
from common.errors import Problem
from functions.dashboard import stores
from functions.dashboard.pages.setup import LIVES, Secret, named, page
from functions.dashboard.reader import KEYS, THEME, THEMES, ZONE, local_path, zone_named
from functions.dashboard.serving import Act, Done, Sent, Shown, forget, keep, redirect
from functions.dashboard.snippets import snippets

YEAR = 365 * 86_400


def explained(form: str) -> Callable[[Callable[[Sent], Done | Shown | Response]], Act]:
    """What is wrong with a form is said in it, and nothing typed is lost."""

    def wrapped(act: Callable[[Sent], Done | Shown | Response]) -> Act:
        def acting(sent: Sent) -> Done | Shown | Response:
            try:
                return act(sent)
            except Problem as problem:
                if problem.status not in (409, 422):
                    raise
                more = {"wrong": {form + sent.path.get("id", ""): problem.detail}, "typed": sent.form}
                return Shown(page, "/setup", more, problem.status)

        return acting

    return wrapped


@explained("key")
def make_key(sent: Sent) -> Shown:
    """The key is on this one page, in its snippets too, and nowhere else ever."""
    project, name = sent.form.get("project", ""), named(sent.form, "key")
    if not project:
        raise Problem("invalid", "Choose a project for the key.", field="project")
    with stores.database.connection() as conn:
        secret, _ = projects.create_key(
            conn, sent.reader.caller.org_id, project, name, sent.reader.caller.name, os.urandom(24)
        )
    made = {"kind": "key", "name": name, "secret": secret, "project": project}
    filled = snippets(settings.current().ingest_url, secret)
    return Shown(page, "/setup", {"made": made, "snippets": filled}, query={"project": project})


@explained("revoke-")
def revoke_key(sent: Sent) -> Done:
    org, project, key = sent.reader.caller.org_id, sent.path["project"], sent.path["id"]
    with stores.database.connection() as conn:
        name = confirmed(sent, projects.one_key(conn, org, project, key))
        projects.revoke_key(conn, org, project, key, sent.reader.caller.name)
    return Done("/setup", f"The key {name} is revoked. It dies within half a minute.")


@explained("token")
def make_token(sent: Sent) -> Shown:
    name, role, days = named(sent.form, "token"), sent.form.get("role", ""), sent.form.get("days", "")
    if role not in ROLES or days not in LIVES:
        raise Problem("invalid", "Choose one of the roles and lifetimes.", field="role")
    expires_at: datetime | None = sent.reader.now + timedelta(days=int(days)) if days else None
    with stores.database.connection() as conn:
        org, who = sent.reader.caller.org_id, sent.reader.caller.name
        secret, _ = tokens.create(conn, org, name, role, expires_at, who, os.urandom(24))
    return Shown(page, "/setup", {"made": {"kind": "token", "name": name, "secret": secret, "project": ""}})


@explained("revoke-")
def revoke_token(sent: Sent) -> Done:
    org, token = sent.reader.caller.org_id, sent.path["id"]
    with stores.database.connection() as conn:
        name = confirmed(sent, tokens.one_token(conn, org, token))
        tokens.revoke(conn, org, token, sent.reader.caller.name)
    return Done("/setup#tokens", f"The token {name} is revoked. Whoever uses it is signed out within half a minute.")


@explained("project")
def make_project(sent: Sent) -> Done:
    project, name = sent.form.get("id", "").strip(), named(sent.form, "project")
    if not re.fullmatch(LABEL, project):
        raise Problem("invalid", "An id is made of a-z, 0-9, _ and -, at most 64.", field="id")
    with stores.database.connection() as conn:
        try:
            projects.create(conn, sent.reader.caller.org_id, project, name, sent.reader.caller.name)
        except Conflict:
            raise Problem("taken", "This id is taken. Choose another.", status=409, field="id") from None
    return Done(f"/setup?project={project}", f"The project {project} is made. Make a key for it.")


@explained("preferences")
def prefer(sent: Sent) -> Response:
    """Each preference is a cookie of this browser."""
    zone, theme, root = sent.form.get("zone", "").strip() or "UTC", sent.form.get("theme", ""), sent.reader.root
    if zone_named(zone) is None:
        raise Problem("invalid", f"There is no zone {zone[:64]!r}. Write a name such as Europe/Paris.", field="zone")
    response = redirect(root, "/setup#preferences")
    keep(response, root, ZONE, zone, YEAR)
    if theme in THEMES:
        keep(response, root, THEME, theme, YEAR)
    else:
        forget(response, root, THEME)
    keep(response, root, KEYS, "on" if sent.form.get("keys") else "off", YEAR)
    return response


def switch_shortcuts(sent: Sent) -> Response:
    """Single keys on or off, from the list of them."""
    response = redirect(sent.reader.root, local_path(sent.form.get("back", "/")))
    keep(response, sent.reader.root, KEYS, "off" if sent.reader.keys else "on", YEAR)
    return response


def confirmed(sent: Sent, found: msgspec.Raw | None) -> str:
    """What is revoked is asked for by its name, so that it is not the one beside it."""
    if found is None:
        raise Problem("not_found", "There is no such key.", status=404)
    name = msgspec.json.decode(found, type=Secret).name
    if sent.form.get("name", "").strip() != name.strip():
        raise Problem("not_confirmed", f"To revoke it, write its name: {name}", field="name")
    return name


ACTS: dict[str, Act] = {
    "make_key": make_key,
    "revoke_key": revoke_key,
    "make_token": make_token,
    "revoke_token": revoke_token,
    "make_project": make_project,
    "prefer": prefer,
    "switch_shortcuts": switch_shortcuts,
}
