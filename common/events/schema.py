"""The JSON Schema of event and envelope, published from the Structs: `python -m common.events.schema` writes it.

What it cannot say is in `UNSAID`; everything else it refuses exactly when the code does.
"""

import json
from pathlib import Path
from typing import Any, get_args

import msgspec

from common.events.envelope import Envelope, Event, EventType, Known, Severity
from common.events.limits import BLANKS, LIMITS

PUBLISHED = Path(__file__).parents[2] / "fixtures" / "vectors"

UNSAID = (
    "The bytes are JSON in UTF-8: no NaN, no Infinity, no half of a surrogate pair.",
    "An integer fits into 64 bits, any other number into a double, and a status is written without a point.",
    "Arrays and objects are at most 32 deep, the event being the first, and an event is at most 65,536 bytes.",
    "A day exists in its month, and in UTC the year is 1 to 9999.",
)

_DAY = "[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])"
_CLOCK = "([01][0-9]|2[0-3]):[0-5][0-9]"
_HEX = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
_SENT_HEX = _HEX.replace("a-f", "a-fA-F")
SENT_TIME = f"^{_DAY}[Tt ]{_CLOCK}:[0-5][0-9](\\.[0-9]+)?([Zz]|[+-]{_CLOCK.replace(':', ':?')})$"
SENT_ID = f"^({_SENT_HEX}|[0-9a-fA-F]{{32}})$"
CANONICAL_TIME = f"^{_DAY}T{_CLOCK}:[0-5][0-9](\\.[0-9]{{6}})?Z$"
CANONICAL_ID = f"^{_HEX}$"

# No text anywhere holds U+0000.
_NO_NUL = "^[^\\u0000]*$"
_CLEAN = {
    "pattern": _NO_NUL,
    "propertyNames": {"pattern": _NO_NUL},
    "additionalProperties": {"$ref": "#/$defs/Clean"},
    "items": {"$ref": "#/$defs/Clean"},
}


def event_schema() -> dict[str, Any]:
    """What a caller may send, with the environments of the default setting."""
    schema = _schema(Event, SENT_TIME, SENT_ID)
    schema["properties"]["environment"]["enum"] = list(LIMITS.environments)
    return schema


def envelope_schema() -> dict[str, Any]:
    """What ingest puts on the stream."""
    schema = _schema(Envelope, CANONICAL_TIME, CANONICAL_ID)
    schema["properties"]["schema_version"]["pattern"] = "^1\\."
    return schema


def _schema(kind: type[msgspec.Struct], time: str, uuid: str) -> dict[str, Any]:
    _, components = msgspec.json.schema_components([kind, Known])
    schema = _said_fully(components[kind.__name__], {"date-time": time, "uuid": uuid})
    properties = schema["properties"]
    properties["event_type"]["enum"] = list(get_args(EventType))
    properties["severity"]["enum"] = list(get_args(Severity))
    properties["message"]["pattern"] = f"[^{BLANKS.encode('unicode_escape').decode()}]"
    properties["attributes"]["properties"] = {
        name: _said_fully(known, {}) for name, known in components["Known"]["properties"].items()
    }
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema", "$comment": " ".join(UNSAID)}
    extra = {"allOf": [{"$ref": "#/$defs/Clean"}], "$defs": {"Clean": _CLEAN}}
    return {**head, **schema, **extra}


def _said_fully(part: Any, patterns: dict[str, str]) -> Any:
    """`format` binds no validator, a pattern does; that a known attribute may be absent needs no default."""
    if isinstance(part, list):
        return [_said_fully(item, patterns) for item in part]
    if not isinstance(part, dict):
        return part
    full = {name: _said_fully(value, patterns) for name, value in part.items() if value is not None}
    if "format" in full:
        full["pattern"] = patterns[full.pop("format")]
    return full


def published() -> dict[Path, str]:
    """Each file and what it must hold."""
    schemas = {"event": event_schema(), "envelope": envelope_schema()}
    return {
        PUBLISHED / f"{name}.schema.json": json.dumps(schema, indent=2, ensure_ascii=False) + "\n"
        for name, schema in schemas.items()
    }


if __name__ == "__main__":
    for path, text in published().items():
        path.write_text(text, encoding="utf-8")
