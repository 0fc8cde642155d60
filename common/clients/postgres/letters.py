"""How dead letters ended: each once, with who, when and why."""

from collections.abc import Collection
from typing import Literal, NamedTuple

from common.clients.postgres.connection import Connection

How = Literal["retried", "dropped"]


class End(NamedTuple):
    how: str
    who: str
    why: str
    at: str


def end(conn: Connection, letter: str, how: How, who: str, why: str) -> bool:
    """True if it was still dead. Whoever ends it at the same moment waits for our commit, and is told False."""
    query = """
        INSERT INTO dead_letter_ends (letter, how, who, why) VALUES (:letter, :how, :who, :why)
        ON CONFLICT DO NOTHING RETURNING 1
    """
    return bool(conn.run(query, letter=letter, how=how, who=who, why=why))


def ends(conn: Connection, letters: Collection[str]) -> dict[str, End]:
    """Of those of these letters that are not dead any more."""
    query = """
        SELECT letter::text, how, who, why, utc(at) FROM dead_letter_ends WHERE letter = ANY(:letters::uuid[])
    """
    return {row[0]: End(*row[1:]) for row in conn.run(query, letters=f"{{{','.join(letters)}}}")}
