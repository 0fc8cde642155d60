"""What the glossary names is where it says."""

import re

from local import state

ROW = re.compile(r"^\| (?P<name>[^|]+) \| [^|]+ \| `(?P<path>[^`]+)` \|$", re.MULTILINE)
ROWS = [(one["name"], one["path"]) for one in ROW.finditer((state.ROOT / "docs/glossary.md").read_text())]


def test_every_name_leads_to_a_file() -> None:
    assert len(ROWS) > 60
    assert [path for _, path in ROWS if not (state.ROOT / path).is_file()] == []


def test_no_name_stands_twice() -> None:
    names = [name for whole, _ in ROWS for name in whole.split(", ")]
    assert len(names) == len(set(names))
