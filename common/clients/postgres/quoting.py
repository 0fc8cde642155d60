"""Values written into SQL text: one message, one round trip, and it works through a transaction pooler.

Safe because every connection of ours is UTF-8 with standard_conforming_strings on (`connection.py` insists on it):
then a quote is the only character with a meaning inside '…', and doubling it is all there is to do.
"""

import re
from datetime import datetime
from functools import lru_cache
from uuid import UUID

# A name after a colon that is neither a cast (::text) nor the inside of a word (12:30 is no name either).
PLACEHOLDER = re.compile(r"(?<![:\w]):([a-z_][a-z0-9_]*)")


def render(sql: str, values: dict[str, object]) -> str:
    """The statement with each :name replaced by its quoted value; a name without a value is a bug."""
    pieces = list(_pieces(sql))
    pieces[1::2] = [quote(values[name]) for name in pieces[1::2]]
    return "".join(pieces)


@lru_cache(maxsize=512)
def _pieces(sql: str) -> list[str]:
    """Text, name, text, name, …: looking for the names costs more than all the rest."""
    return PLACEHOLDER.split(sql)


def quote(value: object) -> str:
    """One value as SQL text. Lists are refused: pass JSON text and take it apart with json_to_recordset."""
    match value:
        case None:
            return "NULL"
        case bool():
            return "true" if value else "false"
        case int():
            return str(value) if value >= 0 else f"({value})"
        case float():
            return f"'{value!r}'::float8"
        case str():
            return text(value)
        case bytes():
            return f"'\\x{value.hex()}'::bytea"
        case datetime():
            assert value.tzinfo, "a time without offset has no meaning here"
            return f"'{value.isoformat()}'::timestamptz"
        case UUID():
            return f"'{value}'::uuid"
    raise TypeError(f"{type(value).__name__} has no SQL text; pass JSON text instead")


def text(value: str) -> str:
    """The hot paths call this directly, with the JSON text of a whole batch."""
    if "\x00" in value:
        raise ValueError("Postgres text holds no NUL; refuse it where the value comes in")
    return "'" + value.replace("'", "''") + "'"
