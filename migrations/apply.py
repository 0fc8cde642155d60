"""Bring the database to this release's schema: forward only, each file once, checksums kept, one at a time.

`python -m migrations.apply` (or `make migrate`) needs only the connection variables. Run it again: it does nothing.
"""

import hashlib
import re
import sys
from datetime import UTC, date, datetime
from pathlib import Path
from typing import NamedTuple

from common import settings
from common.clients.postgres.connection import Connection
from common.errors import Misconfigured, Unavailable
from migrations.prepare import prepare

HERE = Path(__file__).parent
LOCK = 7_416_100  # any number, as long as every release uses the same

HISTORY = """
    CREATE TABLE IF NOT EXISTS schema_migrations (
        version int PRIMARY KEY,
        name text NOT NULL,
        checksum text NOT NULL,
        oldest_release int NOT NULL,
        applied_at timestamptz NOT NULL DEFAULT now()
    )
"""
APPLIED = "SELECT version, checksum FROM schema_migrations"


class Migration(NamedTuple):
    version: int
    name: str
    sql: str
    oldest_release: int  # the oldest KNOWN (see clients/postgres/schema.py) that still works after it

    @property
    def checksum(self) -> str:
        return hashlib.sha256(self.sql.encode()).hexdigest()


def migrations(folder: Path = HERE) -> list[Migration]:
    """The files in their order, without a gap; each says which release still runs on what it leaves behind."""
    found = [_read(path) for path in sorted(folder.glob("[0-9]*.sql"))]
    assert [one.version for one in found] == list(range(1, len(found) + 1)), "a number is missing or used twice"
    return found


def apply(conn: Connection, wanted: list[Migration]) -> list[Migration]:
    """Apply what is not there yet, each in a transaction of its own; two at once wait for each other."""
    conn.run("SELECT pg_advisory_lock(:lock)", lock=LOCK)
    try:
        conn.run(HISTORY)
        applied = {row[0]: row[1] for row in conn.run(APPLIED)}
        missing = not_applied(applied, wanted)
        for migration in missing:
            _apply_one(conn, migration)
        return missing
    finally:
        conn.run("SELECT pg_advisory_unlock(:lock)", lock=LOCK)


def not_applied(applied: dict[int, str], wanted: list[Migration]) -> list[Migration]:
    """Those the database lacks; a file that changed after it was applied is an error, not a guess."""
    for migration in wanted:
        if applied.get(migration.version, migration.checksum) != migration.checksum:
            raise Misconfigured(
                f"migrations/{migration.name} was edited after it was applied to this database: "
                "restore the file (git checkout), and put the change into a new migration."
            )
    return [migration for migration in wanted if migration.version not in applied]


def main() -> int:
    """Say what was applied; one sentence and a non-zero exit when it cannot be done."""
    try:
        for migration in bring_up(settings.current(), datetime.now(UTC).date()):
            print(f"applied {migration.name}")
        print("the schema is up to date, the topics are there")
    except (Misconfigured, Unavailable) as error:
        print(f"migrations: {error}", file=sys.stderr)
        return 2
    return 0


def bring_up(where: settings.Settings, today: date) -> list[Migration]:
    """The configured stores as this release wants them; what was missing is answered."""
    conn = Connection(where.database, answer_seconds=None)
    try:
        [[version]] = conn.run("SELECT current_setting('server_version_num')::int")
        if version < 160_000:
            raise Misconfigured(f"This is Postgres {version // 10_000}; 16 or newer is needed.")
        applied = apply(conn, migrations())
        prepare(conn, where, today)
        return applied
    finally:
        conn.close()


def _read(path: Path) -> Migration:
    sql = path.read_text()
    said = re.search(r"^-- oldest release: (\d+)$", sql, re.MULTILINE)
    assert said, f"{path.name} must say `-- oldest release: N`"
    return Migration(int(path.name[:4]), path.name, sql, int(said[1]))


def _apply_one(conn: Connection, migration: Migration) -> None:
    with conn.transaction():
        conn.simple(migration.sql)
        conn.run(
            "INSERT INTO schema_migrations (version, name, checksum, oldest_release) VALUES (:v, :n, :c, :o)",
            v=migration.version,
            n=migration.name,
            c=migration.checksum,
            o=migration.oldest_release,
        )


if __name__ == "__main__":
    sys.exit(main())
