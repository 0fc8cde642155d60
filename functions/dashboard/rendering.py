"""Templates: everything is escaped, and a name nobody gave is an error."""

from collections.abc import Mapping
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from functions.dashboard import assets, elements, times, words
from functions.dashboard.live import Sections
from functions.dashboard.reader import Reader

_templates = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    auto_reload=False,
)
_templates.filters |= {"icon": elements.icon, "time": elements.time, "ago": elements.ago}
_templates.globals |= {"asset": assets.NAMES, "words": words, "times": times}


def render(template: str, reader: Reader, values: Mapping[str, object], *, live: bool = False) -> str:
    """A whole page, or its live sections only."""
    sections = Sections(reader.csrf)
    layout = "live.html" if live else "base.html"
    return _templates.get_template(template).render(
        layout=layout, reader=reader, root=reader.root, live=sections.add, sections=sections, **values
    )


def plain(template: str, root: str, **values: object) -> str:
    """A page for whoever is not signed in, or that must stand without the database."""
    return _templates.get_template(template).render(root=root, **values)
