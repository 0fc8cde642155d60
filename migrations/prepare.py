"""What a migration cannot say in SQL: topics, the search index, and the partitions of the days to come."""

from datetime import date, timedelta

from common.clients.postgres import partitions
from common.clients.postgres.connection import Connection
from common.clients.postgres.partitions import AHEAD_DAYS, DAY, WEEK
from common.clients.stream import upkeep
from common.settings import Settings

CUT = {"activity": DAY, "remembered_ids": WEEK}


def prepare(conn: Connection, settings: Settings, today: date, ahead: int = AHEAD_DAYS) -> None:
    """Run it again: it makes what is missing. From yesterday on, because clocks differ about midnight."""
    for table, span in CUT.items():
        partitions.make(conn, table, span, today - timedelta(days=1), today + timedelta(days=ahead))
    upkeep.make(conn, settings, today, ahead)
    if settings.opensearch:
        from common.clients.search import mapping
        from common.clients.search.node import Node

        mapping.create(Node(settings.opensearch))
