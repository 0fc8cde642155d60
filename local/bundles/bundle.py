"""One function's bundle: its own modules, the data they name, and the wheels they import; nothing else."""

import sys
from collections.abc import Iterable

from common.errors import Misconfigured
from local.bundles import compiled, wheels
from local.bundles.closure import closure
from local.bundles.compiled import Files
from local.bundles.declaration import DATA_ONLY, ROOT, Function

# What common/edge imports only where it is the host, or for an app that has loaded it already.
OF_HOSTS = {"functions_framework", "starlette", "fastapi"}


def files(function: Function, architecture: str) -> Files:
    """As Lambda wants them: everything at the root."""
    return of_wheels(function, architecture) | ours(function)


def ours(function: Function) -> Files:
    needed = closure(ROOT, function.source)
    check(function, needed.foreign)
    return compiled.of_ours(needed.modules | needed.data)


def of_wheels(function: Function, architecture: str) -> Files:
    return compiled.of_wheels(wheels.wanted(function.dependencies, architecture))


def check(function: Function, foreign: Iterable[str]) -> None:
    """What is imported is declared, and what is declared is imported."""
    imported = {name.replace("_", "-") for name in foreign if name not in sys.stdlib_module_names}
    hosts = {name.replace("_", "-") for name in OF_HOSTS}
    if missing := sorted(imported - set(function.dependencies) - hosts):
        raise Misconfigured(
            f"{function.name} imports {', '.join(missing)}: declare it in local/bundles/declaration.py."
        )
    if idle := sorted(set(function.dependencies) - imported - set(DATA_ONLY)):
        raise Misconfigured(f"{function.name} imports no {', '.join(idle)}: take it out of the declaration.")
