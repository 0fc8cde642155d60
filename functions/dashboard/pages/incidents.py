"""Incidents: those nobody has first, by state, project, environment and severity; all of it in the address."""

import re
from collections.abc import Collection, Mapping
from datetime import timedelta
from typing import NamedTuple
from urllib.parse import urlencode

from common import settings
from common.clients.postgres import listing as listed
from common.clients.postgres import overview, rows
from common.clients.postgres.paging import LABEL
from common.clients.postgres.rows import Found, Narrowed
from common.errors import Problem
from functions.dashboard import listing
from functions.dashboard.counting import counted_until
from functions.dashboard.serving import Asked, Page

PAGE = 25
RECENT = timedelta(days=7)
TABS = {"unresolved": "Not resolved", "mine": "Mine", "resolved": "Resolved", "all": "All"}
SEVERITIES = ("critical", "error", "warn")


class View(NamedTuple):
    """What the address asks for."""

    tab: str
    project: str
    environment: str
    severity: str
    cursor: str

    def address(self, **other: str) -> str:
        """This view with something else, as a query."""
        tab = "" if self.tab == "unresolved" else self.tab
        said = {"status": tab, "project": self.project, "env": self.environment, "severity": self.severity} | other
        return "?" + urlencode({name: value for name, value in said.items() if value and value != "unresolved"})

    @property
    def narrowed(self) -> bool:
        return bool(self.project or self.environment or self.severity)


def version(asked: Asked) -> object:
    return overview.version(asked.conn, asked.reader.caller.org_id, asked.reader.now)


def values(asked: Asked) -> Mapping[str, object]:
    view = view_of(asked)
    around = listed.known(asked.conn, asked.reader.caller.org_id, narrowing(asked, view), asked.reader.now - RECENT)
    if view.project and view.project not in {project.id for project in around.projects}:
        raise Problem("not_found", "There is no such project.", status=404)
    counted = counted_until(asked.conn, asked.reader.now)
    of = rows.Asked(asked.reader.caller.org_id, asked.reader.now, counted, narrowing(asked, view))
    main, recent = found(asked, of, view)
    total = {"unresolved": around.unresolved + around.recent, "mine": around.unresolved, "resolved": around.resolved}
    return {
        "view": view,
        "tabs": TABS,
        "around": around,
        "lines": [listing.line(row) for row in main.rows],
        "recent": [listing.line(row) for row in recent.rows],
        "older": older(view, main, recent),
        "shown": len(main.rows) + len(recent.rows),
        "total": total.get(view.tab, around.unresolved + around.resolved),
        "most": listed.MOST,
        "environments": settings.current().environments,
        "severities": SEVERITIES,
    }


def found(asked: Asked, of: rows.Asked, view: View) -> tuple[Found, Found]:
    """The rows of this tab; below those that are not resolved, if there is room, what was in the last seven days."""
    conn, cursor = asked.conn, view.cursor or None
    if view.tab == "all":
        return rows.every(conn, of, PAGE, cursor), Found([], None)
    if view.tab == "resolved":
        return rows.resolved(conn, of, PAGE, cursor), Found([], None)
    main = rows.unresolved(conn, of, PAGE, cursor)
    room = 0 if main.next or view.tab == "mine" else PAGE - len(main.rows)
    recent = rows.resolved(conn, of, room, since=of.now - RECENT) if room else Found([], None)
    return main, recent


def older(view: View, main: Found, recent: Found) -> str:
    if main.next:
        return view.address(cursor=main.next)
    return view.address(status="resolved", cursor=recent.next) if recent.next else ""


def narrowing(asked: Asked, view: View) -> Narrowed:
    mine = asked.reader.caller.name if view.tab == "mine" else None
    return Narrowed(view.project or None, view.environment or None, view.severity or None, mine)


def view_of(asked: Asked) -> View:
    """What it does not know it takes for nothing: an address may be older than a project."""
    said = asked.query.get
    project, environment = said("project", ""), said("env", said("environment", ""))
    return View(
        tab=known(said("status", ""), TABS) or "unresolved",
        project=project if re.fullmatch(LABEL, project) else "",
        environment=known(environment, settings.current().environments),
        severity=known(said("severity", ""), SEVERITIES),
        cursor=said("cursor", ""),
    )


def known(word: str, words: Collection[str]) -> str:
    return word if word in words else ""


page = Page("incidents.html", values, version, every=15)
