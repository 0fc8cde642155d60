"""Which schema this release works with; a process that meets another one says both versions and does not start."""

from common.clients.postgres.connection import Connection
from common.errors import Misconfigured

# The newest migration this release knows. A test holds it against the files in migrations/.
KNOWN = 13


def look_up(conn: Connection) -> tuple[int, int]:
    """The version the database has, and the oldest release that may still use it; zero where nothing was applied."""
    if conn.run("SELECT to_regclass('schema_migrations') IS NULL") == [[True]]:
        return 0, 0
    [[version, oldest_release]] = conn.run(
        "SELECT coalesce(max(version), 0), coalesce(max(oldest_release), 0) FROM schema_migrations"
    )
    return version, oldest_release


def check(found: int, oldest_release: int, known: int = KNOWN) -> None:
    """Older than we need, or changed so that only later releases may use it: either way, stop here."""
    if found < known:
        raise Misconfigured(
            f"The database has schema {found}, this release needs {known}: run `python -m migrations.apply`."
        )
    if oldest_release > known:
        raise Misconfigured(
            f"The database has schema {found}, which needs a release that knows schema {oldest_release} or later; "
            f"this one knows {known}: deploy the newer release."
        )
