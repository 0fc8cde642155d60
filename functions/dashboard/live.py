"""Sections that refresh by themselves: each knows by a hash whether it changed, and a page by an ETag before that."""

import re
from collections.abc import Callable
from hashlib import blake2b

from markupsafe import Markup

from functions.dashboard.assets import BUILD
from functions.dashboard.reader import Reader

# Relative times are the script's: they change nothing. Splitting here leaves the tag and drops its words.
_TIME = re.compile(r"(<time\b[^>]*>)[^<]*")


class Sections:
    """The live sections of one rendering, in their order: `{% call live("rows") %}…{% endcall %}` in a template."""

    def __init__(self, csrf: str) -> None:
        self._csrf = csrf
        self._made: list[str] = []

    def add(self, name: str, tag: str = "section", kind: str = "", *, caller: Callable[[], str]) -> Markup:
        content = str(caller())
        lasting = "".join(_TIME.split(content)).replace(self._csrf, "")
        version = blake2b(lasting.encode(), digest_size=6).hexdigest()
        class_ = f' class="{kind}"' if kind else ""
        opening = f'<{tag} id="{name}"{class_} data-live data-v="{version}">'
        made = Markup(f"{opening}{content}</{tag}>")  # noqa: S704 (a template's own words and output)
        self._made.append(made)
        return made

    @property
    def text(self) -> str:
        return "".join(self._made)


def etag_of(reader: Reader, *versions: object) -> str:
    """Of the data, the minute, and all else a page depends on; never of its body."""
    said = (
        versions,
        reader.here,
        reader.now.replace(second=0, microsecond=0),
        str(reader.zone),
        reader.caller.role,
        BUILD,
    )
    return f'W/"{blake2b(repr(said).encode(), digest_size=9).hexdigest()}"'
