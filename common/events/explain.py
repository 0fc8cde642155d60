"""Why these bytes were refused. Slow and thorough: loaded and run only after the fast way has failed."""

import json
import re
from collections.abc import Callable, Iterator
from typing import Any, TypeVar, get_args

import msgspec

from common.errors import Problem
from common.events.brackets import too_deep
from common.events.envelope import Attributes, EventType, Severity
from common.events.limits import INT_MAX, INT_MIN
from common.events.refusals import problem, told, told_of

Kind = TypeVar("Kind")

_CHOICES = {"event_type": get_args(EventType), "severity": get_args(Severity)}
_TIME = re.compile(r"(\d{4})-\d\d-\d\d[Tt ]\d\d:\d\d:(\d\d)(\.\d+)?([Zz]|[+-]\d\d:?\d\d)", re.ASCII)
_SURROGATE = re.compile("[\ud800-\udfff]")
_ESCAPED_BYTE = re.compile("[\udc80-\udcff]")
_INTEGER_TOO_LARGE, _NUMBER_TOO_LARGE = object(), object()


def explain(raw: bytes, kind: type[Kind], finish: Callable[[Kind], object]) -> Problem | None:
    """What no event may hold comes first, then the decoder's reason, then what `finish` raises.

    None means that nothing is wrong with these bytes.
    """
    if (field := too_deep(raw)) is not None:
        return problem("too_deep", field or None)
    try:
        value = json.loads(raw.decode("utf-8", "surrogateescape"), parse_int=_integer, parse_float=_double)
    except ValueError as error:
        return problem("malformed", None, f"is not JSON: {error}")
    for code, path in _flaws(value, ""):
        broken = code == "lone_surrogate" and not _is_utf8(raw)
        return problem("invalid_utf8" if broken else code, path)
    try:
        finish(msgspec.convert(value, kind))
    except msgspec.ValidationError as error:
        return _named(str(error), value)
    except Problem as refusal:
        return refusal
    return None


def _flaws(value: Any, path: str) -> Iterator[tuple[str, str | None]]:
    """Each thing no event may hold, as code and path, in the order of the text."""
    if isinstance(value, dict):
        for name, item in value.items():
            inner = f"{path}.{name}" if path else name
            if code := _flaw_of_text(name):
                yield code, _printable(inner)
            yield from _flaws(item, inner)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _flaws(item, f"{path}[{index}]")
    elif code := _flaw_of_text(value) if isinstance(value, str) else _flaw_of_number(value):
        yield code, path or None


def _flaw_of_text(text: str) -> str | None:
    if "\0" in text:
        return "nul"
    return "lone_surrogate" if _SURROGATE.search(text) else None


def _flaw_of_number(value: object) -> str | None:
    if value is _INTEGER_TOO_LARGE:
        return "integer_out_of_range"
    if value is _NUMBER_TOO_LARGE:
        return "number_out_of_range"
    return "not_a_number" if isinstance(value, float) and value - value != 0 else None


def _printable(name: str) -> str:
    return name.replace("\0", "\\u0000").encode("utf-8", "backslashreplace").decode()


def _integer(digits: str) -> object:
    # int() itself refuses thousands of digits
    return int(digits) if len(digits) <= 20 and INT_MIN <= int(digits) <= INT_MAX else _INTEGER_TOO_LARGE


def _double(digits: str) -> object:
    value = float(digits)
    return value if value - value == 0 else _NUMBER_TOO_LARGE


def _is_utf8(raw: bytes) -> bool:
    try:
        raw.decode()
    except UnicodeDecodeError:
        return False
    return True


def _named(message: str, value: Any) -> Problem:
    """The decoder's reason, made exact where it is short: which attribute, which values, what of the time."""
    refusal = told(message)
    field = refusal.field or ""
    unnamed = field == "attributes[...]" or (field == "attributes" and "at `key` in" in message)
    if unnamed and refusal.code not in ("required", "unknown_field"):
        return _attribute(value["attributes"]) or refusal
    if field in _CHOICES and refusal.code == "not_allowed":
        return problem("not_allowed", field, f"must be one of {', '.join(_CHOICES[field])}")
    if refusal.code == "invalid_time":
        return problem(_time_code(value[field]), field)
    return refusal


def _attribute(attributes: dict[str, Any]) -> Problem | None:
    """The first attribute that is refused when it stands alone."""
    for name, item in attributes.items():
        try:
            msgspec.convert({name: item}, Attributes)
        except msgspec.ValidationError as error:
            if "at `key` in" not in str(error):
                return told_of(str(error), f"attributes.{name}")
            if not name:
                return problem("empty", "attributes", "has a name that is empty")
            return problem("too_long", f"attributes.{name}", "has a name that is too long: at most 128 characters")
    return None


def _time_code(text: str) -> str:
    """Why a text that looks like a time is none."""
    parts = _TIME.fullmatch(text)
    if parts and parts[2] == "60":
        return "leap_second"
    if parts and (parts[1] == "0000" or (text.startswith("9999-12-31") and int(parts[2]) == 59)):
        return "time_out_of_range"  # of the second kind, only what is rounded into the year 10000
    return "invalid_time"
