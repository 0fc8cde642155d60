"""Search in Postgres: a tsvector made of our own words, one upsert a batch, one message a question."""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from uuid import UUID

import msgspec
from pg8000.exceptions import DatabaseError

from common.clients.postgres.connection import Connection, Row
from common.clients.postgres.database import Database
from common.clients.postgres.quoting import quote, text
from common.clients.search import Counts, Found, Refusal, documents
from common.clients.search.documents import Key, Known, Sealed, attribute_name, spelled
from common.clients.search.language import BREAK, Attribute, Field, Question, Term, Words, milliseconds
from common.errors import Unavailable

SLOWEST = "SET LOCAL statement_timeout = '5s'; "
LONGEST_LEXEME = 500  # characters; Postgres takes 2,046 bytes


class Stored(msgspec.Struct, gc=False):
    """One row of `events`."""

    project_id: str
    event_id: str
    org_id: str
    at: int
    received_at: datetime
    environment: str
    event_type: str
    severity: str
    route: str | None
    words: str
    event: Sealed


COLUMNS = ", ".join(Stored.__struct_fields__)
# Rows in one order for every writer, so that two batches never deadlock. What is there already, byte for byte,
# is left alone: a batch that comes again costs no writing.
UPSERT = f"""
    INSERT INTO events AS had ({COLUMNS})
    SELECT {COLUMNS}
      FROM json_to_recordset(%s)
        AS (project_id text, event_id uuid, org_id text, at bigint, received_at timestamptz, environment text,
            event_type text, severity text, route text, words tsvector, event json)
     ORDER BY project_id COLLATE "C", event_id
        ON CONFLICT (project_id, event_id) DO UPDATE
       SET ({COLUMNS}) = ROW ({", ".join(f"excluded.{name}" for name in Stored.__struct_fields__)})
     WHERE had.event::text <> excluded.event::text
"""  # noqa: S608 (column names)
PRUNE = """
    WITH gone AS (
        DELETE FROM events WHERE ctid IN (
            SELECT ctid FROM events WHERE received_at < :before ORDER BY received_at LIMIT :most
               FOR UPDATE SKIP LOCKED)
        RETURNING 1)
    SELECT count(*) FROM gone
"""


class PostgresSearch:
    """One row an event; every value goes to the server as text of one simple message."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def check_mapping(self) -> None:
        """The table is a migration's, and the schema is checked when the connection opens."""
        with self._database.connection():
            pass

    def index(self, envelopes: Sequence[bytes]) -> list[Refusal]:
        refused: list[Refusal] = []
        rows: dict[tuple[str, str], tuple[int, Stored]] = {}
        for index, sealed, known in documents.read(envelopes, refused):
            # The last of equal ids wins, as it does in OpenSearch; one statement could not write a row twice.
            rows[sealed.project_id, sealed.event_id] = index, _stored(sealed, known)
        with self._database.connection() as conn:
            return sorted(refused + list(_upsert(conn, list(rows.values()))), key=lambda refusal: refusal.index)

    def find(self, question: Question, *, limit: int = 50, cursor: str | None = None) -> Found:
        where = _where(question)
        after = _after(documents.read_cursor(cursor)) if cursor is not None else ""
        order = f"ORDER BY at DESC, event_id DESC, project_id DESC LIMIT {limit + 1}"
        [[total], *rows] = self._ask(
            f"SELECT count(*) FROM events WHERE {where}; "  # noqa: S608 (every value in `where` is quoted)
            f"SELECT at, event_id::text, project_id, event::text FROM events WHERE {where}{after} {order}"
        )
        found = [((row[0], row[1], row[2]), msgspec.json.decode(row[3])) for row in rows]
        return documents.page(question, found, total, limit)

    def counts(self, question: Question) -> Counts:
        rows = self._ask(
            "SELECT event_type, severity, route, count(*), grouping(event_type), grouping(severity) "  # noqa: S608
            f"FROM events WHERE {_where(question)} GROUP BY GROUPING SETS (event_type, severity, route)"
        )
        types = [(row[0], row[3]) for row in rows if not row[4]]
        severities = [(row[1], row[3]) for row in rows if not row[5]]
        routes = [(row[2], row[3]) for row in rows if row[4] and row[5] and row[2] is not None]
        return Counts(*(documents.ranked(counted, 20) for counted in (types, severities, routes)))

    def over_time(self, question: Question, bars: int) -> list[int]:
        start, step = documents.step_of(question, bars)
        rows = self._ask(
            f"SELECT (at - {quote(start)}) / {step}, count(*) FROM events WHERE {_where(question)} GROUP BY 1"  # noqa: S608
        )
        counted = {int(row[0]): int(row[1]) for row in rows}
        return [counted.get(bar, 0) for bar in range(bars)]

    def routes_over_time(self, question: Question, bars: int, most: int) -> dict[str, list[int]]:
        start, step = documents.step_of(question, bars)
        rows = self._ask(
            f"WITH counted AS (SELECT route, (at - {quote(start)}) / {step} AS bar, count(*) AS n FROM events "  # noqa: S608
            f"WHERE {_where(question)} AND route IS NOT NULL GROUP BY 1, 2), "
            "ranked AS (SELECT route, sum(n) AS total FROM counted GROUP BY 1 "
            f'ORDER BY total DESC, route COLLATE "C" LIMIT {most}) '
            "SELECT route, bar, n FROM counted JOIN ranked USING (route) "
            'ORDER BY total DESC, route COLLATE "C"'
        )
        return documents.series_of(((row[0], int(row[1]), int(row[2])) for row in rows), bars)

    def prune(self, before: datetime, limit: int = 5000) -> int:
        with self._database.connection() as conn:
            [[gone]] = conn.run(PRUNE, before=before, most=limit)
        return int(gone)

    def close(self) -> None:
        self._database.close()

    def _ask(self, sql: str) -> list[Row]:
        """SET LOCAL holds for the statements of this one message, which Postgres takes as one transaction."""
        with self._database.connection() as conn:
            try:
                return conn.simple(SLOWEST + sql)
            except Unavailable as error:
                raise Unavailable("Search", error.reason) from error


def _stored(sealed: Sealed, known: Known) -> Stored:
    return Stored(
        sealed.project_id,
        sealed.event_id,
        sealed.org_id,
        milliseconds(sealed.occurred_at),
        sealed.received_at,
        sealed.environment,
        sealed.event_type,
        sealed.severity,
        known.route,
        _vector(sealed, known),
        sealed,
    )


def _vector(sealed: Sealed, known: Known) -> str:
    """The text of a tsvector: 'word':position of each word, and what is asked for exactly, without a position."""
    found = documents.words_of(sealed.message, known).split()
    lexemes = [f"'{word}':{place}" for place, word in enumerate(found, 1) if word != BREAK]
    lexemes.append(_lexeme(_org(sealed.org_id)))
    attributes = sealed.attributes.items()
    lexemes += [_lexeme(_fact(name, spelled(value))) for name, value in attributes if value is not None]
    return " ".join(lexemes)


def _upsert(conn: Connection, rows: list[tuple[int, Stored]]) -> Iterator[Refusal]:
    """All rows in one statement. If Postgres refuses the data, halve until the row that is to blame is found."""
    if not rows:
        return
    try:
        conn.simple(UPSERT % text(msgspec.json.encode([row for _, row in rows]).decode()))
    except DatabaseError as error:
        if len(rows) == 1:
            yield Refusal(rows[0][0], "not_indexable", f"Postgres: {error.args[0].get('M', error)}")
            return
        for half in (rows[: len(rows) // 2], rows[len(rows) // 2 :]):
            yield from _upsert(conn, half)


def _where(question: Question) -> str:
    conditions = [f"org_id = {text(question.org_id)}"]
    if asked := list(_asked(question.terms)):
        # The organisation is a lexeme too: a word that others use often then costs this one nothing.
        asked.append(_lexeme(_org(question.org_id)))
        conditions.append(f"words @@ {text(' & '.join(asked))}::tsquery")
    conditions += [_equals(term) for term in question.terms if isinstance(term, Field)]
    if question.since is not None:
        conditions.append(f"at >= {quote(question.since)}")
    if question.until is not None:
        conditions.append(f"at < {quote(question.until)}")
    return " AND ".join(conditions)


def _after(key: Key) -> str:
    return f" AND (at, event_id, project_id) < ({quote(key[0])}, {text(key[1])}::uuid, {text(key[2])})"


def _equals(field: Field) -> str:
    if field.name == "event_id":
        try:
            value = quote(UUID(field.value))
        except ValueError:
            return "false" if field.wanted else "true"
    else:
        value = text(field.value)
    return f"{field.name} {'=' if field.wanted else '<>'} {value}"


def _asked(terms: Iterable[Term]) -> Iterator[str]:
    for term in terms:
        match term:
            case Words(words, wanted):
                found = " <-> ".join(map(_lexeme, words))
            case Attribute(name, value, wanted):
                found = _lexeme(_fact(name, value))
            case _:
                continue
        yield f"({found})" if wanted else f"!({found})"


def _org(org_id: str) -> str:
    return f"@{org_id}"


def _fact(name: str, value: str) -> str:
    return f"={attribute_name(name)}={value}"


def _lexeme(lexeme: str) -> str:
    """Quoted for tsvector and tsquery; one that is too long for Postgres is known by its hash."""
    if len(lexeme) > LONGEST_LEXEME:
        lexeme = "#" + hashlib.sha256(lexeme.encode()).hexdigest()
    return "'" + lexeme.replace("\\", "\\\\").replace("'", "''") + "'"
