"""The functions and other processes of a local stack: one line each; a new one is added here and nowhere else."""

from pathlib import Path
from typing import NamedTuple


class Part(NamedTuple):
    name: str
    source: str  # a module's file below the root
    port: int  # the wanted one; the next free one is taken
    address: str = ""  # the variable of .local/env that says where it is
    topic: str = ""  # stations: what the poller feeds them
    group: str = ""

    @property
    def exists(self) -> bool:
        return (Path(__file__).parent.parent / self.source).exists()


PUBLIC = (
    Part("ingest", "functions/ingest/main.py", 3000, "INGEST_API_URL"),
    Part("core_api", "functions/core_api/main.py", 3001, "CORE_API_URL"),
    Part("dashboard", "functions/dashboard/main.py", 3002, "DASHBOARD_URL"),
)
FUNCTIONS = PUBLIC
