"""Variables looked up in an environment: unknown names refused, values checked, numbers and lengths of time read."""

import difflib
from collections.abc import Callable, Mapping

from common.errors import Misconfigured
from common.variables import ALSO_UNDERSTOOD, FAMILIES, FILES, VARIABLES

Get = Callable[[str], str]
DEFAULTS = {variable.name: variable.default for variable in VARIABLES + FILES}
NAMES = frozenset(DEFAULTS) | frozenset(ALSO_UNDERSTOOD)


def refuse_unknown(environ: Mapping[str, str]) -> None:
    """A misspelt variable would silently mean its default; so it is an error that names the nearest one."""
    for name in sorted(set(environ) - NAMES):
        near = difflib.get_close_matches(name, NAMES, n=1, cutoff=0.6 if name.startswith(FAMILIES) else 0.9)
        if near or name.startswith(FAMILIES):
            hint = f"did you mean {near[0]}?" if near else f"ours are {', '.join(_family(name))}."
            raise Misconfigured(f"{name} is set, but there is no such variable: {hint}")


def reader(environ: Mapping[str, str]) -> Get:
    """Look a variable up: in the file it may lie in, by its name, by its other name, else its default."""
    others = {ours: theirs for theirs, ours in ALSO_UNDERSTOOD.items()}

    def get(name: str) -> str:
        if path := environ.get(f"{name}_FILE"):
            return contents(path, f"{name}_FILE")
        value = environ.get(name) or environ.get(others.get(name, "")) or DEFAULTS[name]
        return value.strip()

    return get


def contents(path: str, variable: str) -> str:
    try:
        with open(path) as file:  # pathlib would cost every cold start two milliseconds
            return file.read().strip()
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or "it is not text"
        raise Misconfigured(f"{variable}: {path} cannot be read: {why}.") from error


def words(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def one_of(name: str, get: Get, allowed: tuple[str, ...]) -> str:
    if get(name) not in allowed:
        raise Misconfigured(f"{name} is {get(name)!r}; it may be {', '.join(allowed)}.")
    return get(name)


def number(name: str, get: Get, low: int, high: int) -> int:
    text = get(name)
    if not text.removeprefix("-").isdecimal() or not low <= int(text) <= high:
        raise Misconfigured(f"{name} is {text!r}; it must be a whole number from {low} to {high}.")
    return int(text)


def price(name: str, get: Get) -> float:
    text = get(name)
    if not text.replace(".", "", 1).isdecimal():
        raise Misconfigured(f"{name} is {text!r}; write what a million tokens cost, such as 0.65; 0: unknown.")
    return float(text)


def seconds(name: str, get: Get) -> int:
    """A length of time as people write it: 7d, 12h, 30m."""
    text, units = get(name), {"d": 86_400, "h": 3_600, "m": 60}
    if text[-1:] not in units or not text[:-1].isdecimal() or int(text[:-1]) == 0:
        raise Misconfigured(f"{name} is {text!r}; write a length of time such as 7d, 12h or 30m.")
    return int(text[:-1]) * units[text[-1]]


def _family(name: str) -> list[str]:
    return sorted(one for one in NAMES if one.split("_")[0] == name.split("_")[0])
