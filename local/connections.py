"""How many Postgres connections the configuration could open at most, part by part, against what the server allows."""

from collections.abc import Mapping, Sequence
from contextlib import closing
from typing import NamedTuple

from common import settings
from common.clients.postgres.connection import Connection
from common.errors import Misconfigured
from local.poller import stations

ALLOWED = """
    SELECT sum(CASE name WHEN 'max_connections' THEN setting::int ELSE -setting::int END)::int FROM pg_settings
     WHERE name IN ('max_connections', 'superuser_reserved_connections', 'reserved_connections')
"""


class Uses(NamedTuple):
    """Of one process: for itself; for search where that is Postgres; for the stream where that is Postgres."""

    own: int
    search: int = 0
    stream: int = 1


# A test holds `own` and `search` against the code. An archiver refuses nothing, so it has no letters to publish.
PARTS = {
    "ingest": Uses(3),
    "indexer": Uses(0, search=1),
    "incident_engine": Uses(1),
    "ai_worker": Uses(2),
    "archiver": Uses(0, stream=0),
    "core_api": Uses(18),
    "dashboard": Uses(18, search=8),
    # Two for each station's reader, one reads and one is its heart; one looks for news of all topics.
    "poller": Uses(2, stream=2 + 2 * len(stations.KNOWN)),
    "schedules": Uses(4),
}


def instances(words: Sequence[str]) -> dict[str, int]:
    """`ingest=20 core_api=4`; of each part that is not named there is one."""
    found = dict.fromkeys(PARTS, 1)
    for word in words:
        name, _, count = word.partition("=")
        if name not in PARTS or not count.isdecimal():
            raise Misconfigured(f"{word!r}: write ingest=3; the parts are {', '.join(PARTS)}.")
        found[name] = int(count)
    return found


def most(where: settings.Settings, counts: Mapping[str, int]) -> dict[str, int]:
    """By part, for all its instances together."""
    return {name: count * _of_one(where, PARTS[name]) for name, count in counts.items()}


def allowed(where: settings.Settings) -> int:
    """What is left for those who are no superusers."""
    with closing(Connection(where.database)) as conn:
        [[number]] = conn.run(ALLOWED)
    return int(number)


def _of_one(where: settings.Settings, uses: Uses) -> int:
    search = 0 if where.opensearch else uses.search
    return uses.own + search + (0 if where.kafka else uses.stream)
