"""What has grown too large, or says nothing of itself: `python -m local.sizes`; a test holds the list empty."""

import ast
import sys
from collections.abc import Iterator

from local import state

ROOMS = ("common", "functions", "schedules", "local", "migrations")
LINES_OF_A_FILE, LINES_OF_A_FUNCTION = 300, 40


def main() -> int:
    paths = [path for room in ROOMS for path in sorted((state.ROOT / room).rglob("*.py"))]
    found = [one for path in paths for one in complaints(str(path.relative_to(state.ROOT)), path.read_text())]
    print("\n".join(found) or "Nothing is too large.")
    return int(bool(found))


def complaints(name: str, text: str) -> Iterator[str]:
    """Each with its place."""
    tree, lines = ast.parse(text), text.count("\n")
    if lines > LINES_OF_A_FILE:
        yield f"{name}: {lines} lines, at most {LINES_OF_A_FILE}"
    if text.strip() and not (ast.get_docstring(tree) or "").strip():
        yield f"{name}: does not say what it is"
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            length = (node.end_lineno or node.lineno) - node.lineno + 1
            if length > LINES_OF_A_FUNCTION:
                yield f"{name}:{node.lineno}: {node.name} has {length} lines, at most {LINES_OF_A_FUNCTION}"


if __name__ == "__main__":
    sys.exit(main())
