"""The elements every page has many of, as filters of its templates: a macro takes ten times as long to call."""

from datetime import datetime
from functools import lru_cache

from markupsafe import Markup, escape

from functions.dashboard.times import Clock, for_machines, in_utc


def icon(name: str) -> Markup:
    return Markup(f'<svg class="i" aria-hidden="true"><use href="#i-{escape(name)}"/></svg>')  # noqa: S704 (escaped)


def time(at: datetime, text: str, kind: str = "") -> Markup:
    """With its words: those of the server's zone; the script keeps the relative ones fresh (kind "ago")."""
    data = f" data-{kind}" if kind else ""
    said = f'datetime="{for_machines(at)}" title="{in_utc(at)}"{data}'
    return Markup(f"<time {said}>{escape(text)}</time>")  # noqa: S704 (escaped)


def ago(at: datetime, clock: Clock) -> Markup:
    return time(at, clock.relative(at), "ago")


@lru_cache(maxsize=1024)
def held(name: str, text: str, term: str, *, common: bool) -> Markup:
    """One thing an event holds, and the buttons that ask for it: most events have what others have.

    A term nobody can ask for is empty; what is `common` others may have too.
    """
    said = escape(text) if text.isascii() else Markup("<bdi>{}</bdi>").format(text)
    only = Markup('<button name="only" value="{}">only this</button>').format(term) if term else ""
    others = Markup('<button name="not" value="{}">not this</button>').format(term) if term and common else ""
    return Markup("<dt>{}<dd>{}{}{}").format(name, said, only, others)
