"""What a module needs of this project: the modules it may import, however late, and the files it names."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

OURS = ("common", "functions", "schedules", "migrations")  # what is deployed as functions


class Closure(NamedTuple):
    modules: frozenset[Path]  # relative to the root, as are the files
    data: frozenset[Path]
    foreign: frozenset[str]  # top-level names of others, the standard library's among them


@cache
def closure(root: Path, source: str) -> Closure:
    """Everything reachable by an import statement that could ever run; type checkers' imports cannot."""
    seen: set[Path] = set()
    data: set[Path] = set()
    foreign: set[str] = set()
    waiting = [Path(source)]
    while waiting:
        path = waiting.pop()
        if path not in seen:
            seen.add(path)
            one = of_module(root, path)
            waiting += one.modules
            data |= one.data
            foreign |= one.foreign
    return Closure(frozenset(seen), frozenset(data), frozenset(foreign))


@cache
def of_module(root: Path, path: Path) -> Closure:
    """What this one itself asks for."""
    text = (root / path).read_text()
    tree = ast.parse(text)
    names = set(imported(tree))
    ours = {name for name in names if name.partition(".")[0] in OURS}
    modules = {found for name in ours for found in files_of(root, name)}
    foreign = {name.partition(".")[0] for name in names - ours}
    data = frozenset(named_files(root, path, tree)) if "__file__" in text else frozenset()
    return Closure(frozenset(modules), data, frozenset(foreign))


def imported(tree: ast.AST) -> Iterator[str]:
    """Dotted names; of `from a import b` both a and a.b, for b may be a module."""
    for node in running(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            assert node.level == 0, "imports are absolute here"
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def running(tree: ast.AST) -> Iterator[ast.AST]:
    """All nodes but those under `if TYPE_CHECKING`."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING"):
            yield from (found for one in node.orelse for found in (one, *running(one)))
            continue
        yield node
        yield from running(node)


def files_of(root: Path, name: str) -> Iterator[Path]:
    """The module of this name, if it is one, and the packages around it."""
    parts = name.split(".")
    for count in range(1, len(parts)):
        package = Path(*parts[:count], "__init__.py")
        if (root / package).exists():
            yield package
    for found in (Path(*parts).with_suffix(".py"), Path(*parts, "__init__.py")):
        if (root / found).exists():
            yield found


def named_files(root: Path, path: Path, tree: ast.AST) -> Iterator[Path]:
    """What the module finds from `__file__`: a folder means all data below it, an f-string what it may become."""
    for pattern in patterns(tree, path):
        for found in root.glob(str(pattern)) if pattern.parts else ():  # the root itself is nobody's data
            files = found.rglob("*") if found.is_dir() else [found]
            yield from (one.relative_to(root) for one in files if is_data(one))


def patterns(node: ast.AST, path: Path) -> Iterator[Path]:
    """Of each such expression the whole, not its parts."""
    pattern = from_own_file(node, path)
    if pattern is not None:
        yield pattern
        return
    for child in ast.iter_child_nodes(node):
        yield from patterns(child, path)


def is_data(path: Path) -> bool:
    return path.is_file() and path.suffix not in (".py", ".pyc", ".md") and not path.name.startswith(".")


def from_own_file(node: ast.AST, path: Path) -> Path | None:
    """The path an expression such as `Path(__file__).parents[2] / "a" / f"{b}.json"` makes, below the root."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div):
        left, right = from_own_file(node.left, path), pattern_of(node.right)
        return left / right if left is not None and right else None
    if isinstance(node, ast.Attribute) and node.attr == "parent":
        base = from_own_file(node.value, path)
        return base.parent if base is not None else None
    if isinstance(node, ast.Subscript) and isinstance(node.value, ast.Attribute) and node.value.attr == "parents":
        base = from_own_file(node.value.value, path)
        return base.parents[ast.literal_eval(node.slice)] if base is not None else None
    if isinstance(node, ast.Call):
        if ast.unparse(node) == "Path(__file__)":
            return path
        if isinstance(node.func, ast.Attribute) and node.func.attr == "resolve":
            return from_own_file(node.func.value, path)
    return None


def pattern_of(node: ast.AST) -> str:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(str(one.value) if isinstance(one, ast.Constant) else "*" for one in node.values)
    return ""
