"""The index and its mapping: made by migrations, checked by whoever writes; another one is refused with the reason."""

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import msgspec

from common.clients.search.node import Node
from common.errors import Misconfigured

INDEX = "signals-events-v1"
FILE = Path(__file__).parents[3] / "migrations" / f"{INDEX}.json"


@cache
def ours() -> dict[str, Any]:
    wanted: dict[str, Any] = msgspec.json.decode(FILE.read_bytes())
    return wanted


def create(node: Node) -> bool:
    """Make the index where there is none; True if it was made. One that is there must be ours."""
    made = node.call("GET", f"/{INDEX}") is None
    if made:
        # By a template, so that an index deleted under a running indexer comes back with our mapping and no other.
        template = {"index_patterns": [INDEX], "template": ours()}
        node.call("PUT", f"/_index_template/{INDEX}", msgspec.json.encode(template))
        node.call("PUT", f"/{INDEX}")
    check(node)
    return made


def check(node: Node) -> None:
    """Raises Misconfigured unless the index has all of our mapping. More is fine: it is a later release's."""
    answer = node.call("GET", f"/{INDEX}")
    if answer is None:
        raise Misconfigured(f"OpenSearch has no index {INDEX}: run `python -m migrations.apply`.")
    [found] = msgspec.json.decode(answer).values()
    if wrong := difference(ours(), found):
        raise Misconfigured(
            f"The index {INDEX} has another mapping than this release: {wrong}. "
            "Reindex it into one made by `python -m migrations.apply`, or delete it and replay."
        )


def difference(wanted: dict[str, Any], found: dict[str, Any]) -> str:
    """The first thing of `wanted` that `found` has not, in words; empty if there is none."""
    has = dict(_leaves(found))
    for path, value in _leaves({part: wanted[part] for part in ("mappings", "settings")}):
        if path.startswith("settings") and "analysis" not in path:
            continue  # shards and replicas are the operator's
        if has.get(path) != value:
            return f"{path} is {has.get(path, 'missing')}, not {value}"
    return ""


def _leaves(tree: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Every value with its path; OpenSearch gives some back as text."""
    if isinstance(tree, dict):
        for name, branch in tree.items():
            yield from _leaves(branch, f"{path}.{name}" if path else name)
    else:
        yield path, msgspec.json.encode(tree).decode().strip('"')
